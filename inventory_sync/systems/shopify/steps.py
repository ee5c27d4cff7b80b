"""Setting up a shop, step by step, for an app of the Dev Dashboard and for an older custom app of the shop.

The places are those of the Shopify admin and the Dev Dashboard (shopify.dev/docs/apps/build/dev-dashboard,
help.shopify.com, custom apps).
"""

from __future__ import annotations

from inventory_sync.systems.shopify import scopes
from inventory_sync.systems.steps import CATALOGUE_BY_ITSELF, Step, StepProof, Way

APP, CUSTOM = "app", "custom"

WAYS = (
    Way(APP, "An app made in the Dev Dashboard", "Dev Dashboard で作成したアプリ", sign=("client_id", "client_secret")),
    Way(
        CUSTOM,
        "A custom app made in the shop's admin before 2026",
        "2025 年までに管理画面で作成したカスタムアプリ",
        sign=("access_token", "api_secret"),
    ),
)

_SCOPES = ", ".join(scopes.REQUIRED)
_SCOPES_JA = "、".join(scopes.REQUIRED)

STEPS = (
    Step(
        "shop",
        "Find the shop's name",
        "ショップ名を確認する",
        "Shopify admin, Settings > Domains: the address that ends in .myshopify.com. The name in front of it, the "
        "whole address and the address of the admin are all accepted; the shop's public address is not.",
        "Shopify 管理画面の「設定 > ドメイン」にある .myshopify.com で終わるアドレスです。その前の部分、アドレス全体、"
        "管理画面の URL のどれでも構いません。公開用の独自ドメインは使えません。",
        StepProof.ANSWERS,
        fields=("shop",),
        problems=("IS-SHP-019", "IS-SHP-020", "IS-SHP-021"),
    ),
    Step(
        "create_app",
        "Make an app in the organization that the shop belongs to",
        "ショップが属する組織でアプリを作成する",
        "https://dev.shopify.com/dashboard. The owner, or a person with the right to develop apps, does this. An app "
        "of another organization cannot sign in to the shop.",
        "https://dev.shopify.com/dashboard で、オーナーまたはアプリ開発の権限を持つ方が作成します。別の組織のアプリでは"
        "サインインできません。",
        StepProof.VERIFIED,
        ways=(APP,),
    ),
    Step(
        "scopes",
        "Give the app four scopes, and release the version",
        "4 つのスコープを付けてバージョンをリリースする",
        f"The app's Versions page: {_SCOPES}, and webhook API version 2026-10. No order or customer scope. A version "
        "that is only saved has no effect.",
        f"アプリの「バージョン」画面で {_SCOPES_JA} と Webhook の API バージョン 2026-10 を指定します。注文"
        "・顧客のスコープは"
        "付けません。保存だけでは反映されないため、リリースします。",
        StepProof.SCOPES,
        scopes=scopes.REQUIRED,
        ways=(APP,),
        problems=("IS-SHP-014", "IS-SHP-015"),
        covers=scopes.covered,
    ),
    Step(
        "install",
        "Install the app in the shop",
        "アプリをショップにインストールする",
        "The app's page in the Dev Dashboard; afterwards it stands in the shop under Settings > Apps and "
        "sales channels.",
        "Dev Dashboard のアプリのページからインストールします。ショップの「設定 > アプリと販売チャネル」に表"
        "示されます。",
        StepProof.VERIFIED,
        ways=(APP,),
        problems=("IS-SHP-010", "IS-SHP-011", "IS-SHP-012", "IS-SHP-013"),
    ),
    Step(
        "credentials",
        "Copy client ID and client secret",
        "クライアント ID とクライアントシークレットをコピーする",
        "The app's Settings page in the Dev Dashboard, without blanks or line breaks.",
        "Dev Dashboard のアプリの「設定」ページにあります。空白や改行を含めずにコピーします。",
        StepProof.ANSWERS,
        fields=("client_id", "client_secret"),
        ways=(APP,),
        problems=("IS-SHP-011",),
    ),
    Step(
        "custom_app",
        "Open the custom app under Develop apps",
        "「アプリを開発」でカスタムアプリを開く",
        "Shopify admin, Settings > Apps and sales channels > Develop apps. The owner, or staff or a collaborator with "
        "the right to develop apps, may do this. New apps of this kind cannot be made since 2026.",
        "Shopify 管理画面の「設定 > アプリと販売チャネル > アプリを開発」です。オーナーのほか、アプリ開発の"
        "権限を持つスタッフや"
        "コラボレーターも操作できます。2026 年以降、この種類のアプリは新規作成できません。",
        StepProof.VERIFIED,
        ways=(CUSTOM,),
    ),
    Step(
        "custom_scopes",
        "Tick the four scopes, and save",
        "4 つのスコープに印を付けて保存する",
        f"The app's Configuration, Admin API integration: {_SCOPES}. Nothing else is needed.",
        f"アプリの「設定」の Admin API 連携で {_SCOPES_JA} に印を付けて保存します。ほかは不要です。",
        StepProof.SCOPES,
        scopes=scopes.REQUIRED,
        ways=(CUSTOM,),
        problems=("IS-SHP-014", "IS-SHP-015"),
        covers=scopes.covered,
    ),
    Step(
        "custom_install",
        "Install the custom app",
        "カスタムアプリをインストールする",
        "The app's API credentials page. The token exists only once the app is installed.",
        "アプリの「API 資格情報」からインストールします。トークンはインストール後に発行されます。",
        StepProof.VERIFIED,
        ways=(CUSTOM,),
        problems=("IS-SHP-010", "IS-SHP-013"),
    ),
    Step(
        "custom_token",
        "Copy the Admin API access token, which is shown only once",
        "一度だけ表示される Admin API アクセストークンをコピーする",
        "API credentials, Reveal token once: it begins with shpat_ and can never be shown again. If nobody wrote it "
        "down, uninstall and install the app again; the old token then stops working everywhere.",
        "「API 資格情報」で一度だけ表示されます(shpat_ で始まります)。控えがない場合はアプリを削除して再イン"
        "ストールします。"
        "古いトークンは使えなくなります。",
        StepProof.ANSWERS,
        fields=("access_token",),
        ways=(CUSTOM,),
        problems=("IS-SHP-010",),
    ),
    Step(
        "custom_secret",
        "Copy the API secret key",
        "API シークレットキーをコピーする",
        "The same page. It proves the origin of webhooks; the API key itself is not needed.",
        "同じページにあります。Webhook の確認に使います。API キーは不要です。",
        StepProof.ANSWERS,
        fields=("api_secret",),
        ways=(CUSTOM,),
    ),
    Step(
        "locations",
        "Locations are visible",
        "ロケーションを取得できる",
        "Shopify admin, Settings > Locations. Those of fulfillment services and deactivated ones cannot be paired.",
        "Shopify 管理画面の「設定 > ロケーション」です。フルフィルメントサービスのものと無効なものは紐付けできません。",
        StepProof.LOCATIONS,
        problems=("IS-SHP-051",),
    ),
    Step(
        "notices",
        "Webhooks arrive",
        "Webhook が届く",
        "Nothing to set up: with INVENTORY_SYNC_PUBLIC_URL the subscriptions are made by themselves, to {webhook_url}. "
        "Without it the shop is polled.",
        "設定は不要です。INVENTORY_SYNC_PUBLIC_URL があれば {webhook_url} への購読を自動で作成します。ない場"
        "合は定期確認で"
        "動作します。",
        StepProof.NOTICES,
        problems=("IS-SHP-035",),
        optional=True,
    ),
    CATALOGUE_BY_ITSELF,
)

READS_EN = ("products and variants with their codes", "locations", "stock levels", "the shop's name")
READS_JA = ("商品とバリエーションのコード", "ロケーション", "在庫数", "ショップ名")
