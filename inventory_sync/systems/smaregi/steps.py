"""Setting up a Smaregi contract, step by step (developers.smaregi.dev, apps and webhooks)."""

from __future__ import annotations

from inventory_sync.systems.smaregi import protocol
from inventory_sync.systems.smaregi.settings import DEFAULT_WEBHOOK_HEADER, MIN_SECRET
from inventory_sync.systems.steps import CATALOGUE_BY_ITSELF, Step, StepProof

_SCOPES = ", ".join(protocol.NEEDED_SCOPES)
_SCOPES_JA = "、".join(protocol.NEEDED_SCOPES)

STEPS = (
    Step(
        "app",
        "Make a private app",
        "プライベートアプリを作成する",
        "Smaregi Developers, developer console, new app, private kind. It needs no review.",
        "スマレジ・デベロッパーズの開発者向け管理画面で、種類「プライベートアプリ」のアプリを作成します。審"
        "査はありません。",
        StepProof.VERIFIED,
        problems=("IS-SMR-002",),
    ),
    Step(
        "scopes",
        "Switch on the scopes, and have them approved",
        "スコープを有効にし、承認を受ける",
        f"The app's page in the developer console: {_SCOPES}. Scopes added to an app in use count only after the "
        "contract's administrator approved them on My Page.",
        f"開発者向け管理画面のアプリで {_SCOPES_JA} を有効にします。利用中のアプリに追加したスコープは、契約の管理者が"
        "マイページで承認してから有効になります。",
        StepProof.SCOPES,
        scopes=protocol.NEEDED_SCOPES,
        problems=("IS-SMR-003",),
    ),
    Step(
        "history",
        "Let the stock history be read",
        "在庫変動履歴を参照できるようにする",
        f"The scope {protocol.SCOPE_HISTORY}, in the same place. Where the contract has none, set history: false; "
        "lost answers are then settled at the lower number.",
        f"同じ画面で {protocol.SCOPE_HISTORY} を有効にします。契約で利用できない場合は history: false を設定"
        "します。応答が"
        "途絶えた変更は少ない方の数で確定します。",
        StepProof.SCOPES,
        scopes=(protocol.SCOPE_HISTORY,),
        optional=True,
    ),
    Step(
        "contract",
        "Start using the app, and find the contract ID",
        "アプリの利用を開始し、契約IDを確認する",
        "Smaregi's management screen and My Page show it, such as sb_abc123d4 in the sandbox.",
        "スマレジの管理画面とマイページに表示されます(サンドボックスは sb_abc123d4 のような形)。",
        StepProof.ANSWERS,
        fields=("contract_id",),
        problems=("IS-SMR-004",),
    ),
    Step(
        "credentials",
        "Copy client ID and client secret",
        "クライアントIDとクライアントシークレットをコピーする",
        "The app's page in the developer console. The sandbox and production have a pair each; they cannot be mixed.",
        "開発者向け管理画面のアプリのページにあります。サンドボックス用と本番用は別の組で、混ぜて使えません。",
        StepProof.ANSWERS,
        fields=("client_id", "client_secret"),
        problems=("IS-SMR-001",),
    ),
    Step(
        "webhook_secret",
        "Think up a secret for the webhook",
        "Webhook用のシークレットを用意する",
        f"At least {MIN_SECRET} characters, for example from `openssl rand -hex 24`. It is the only proof "
        "that a notice "
        "comes from Smaregi.",
        f"{MIN_SECRET}文字以上です(例: `openssl rand -hex 24`)。通知がスマレジからのものである唯一の証明になります。",
        StepProof.ANSWERS,
        fields=("webhook_secret",),
        optional=True,
    ),
    Step(
        "webhook",
        "Enter the webhook at Smaregi",
        "スマレジにWebhookを設定する",
        "The app's webhook settings: address {webhook_url}, events pos:stock, pos:products and pos:stores, "
        "and a custom "
        f"header {DEFAULT_WEBHOOK_HEADER} with the secret. It is done by hand, once.",
        "アプリのWebhook設定で、URLに {webhook_url}、イベントに pos:stock・pos:products・pos:stores、カスタムヘッダー "
        f"{DEFAULT_WEBHOOK_HEADER} にシークレットを設定します。手作業は最初の一度だけです。",
        StepProof.NOTICES,
        problems=("IS-SMR-051",),
        optional=True,
    ),
    Step(
        "stores",
        "Stores and warehouses are visible",
        "店舗・倉庫を取得できる",
        "Smaregi's management screen, stores.",
        "スマレジの管理画面の「店舗」です。",
        StepProof.LOCATIONS,
    ),
    CATALOGUE_BY_ITSELF,
)

READS_EN = ("products with their codes", "stores and warehouses", "stock levels", "the stock history, for its cause")
READS_JA = ("商品とコード", "店舗・倉庫", "在庫数", "在庫変動履歴(理由の確認)")
