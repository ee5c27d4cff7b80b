"""Setting up a MakeShop shop, step by step, over the GraphQL API and the classic one.

The places are those of MakeShop's admin (developers.makeshop.jp/api/graphql; for the classic API, the provider's help
pages on product and order data linking).
"""

from __future__ import annotations

from inventory_sync.systems.makeshop.settings import MAX_PASSWORD
from inventory_sync.systems.steps import Step, StepProof, Way

GRAPHQL, CLASSIC = "graphql", "classic"

WAYS = (
    Way(GRAPHQL, "The GraphQL API", "GraphQL API", given=(("api", "graphql"),)),
    Way(
        CLASSIC,
        "The classic API with authentication codes",
        "認証コードを使う従来API",
        sign=("order_auth_code", "product_auth_code", "shop_name", "user_name", "shop_url"),
        given=(("api", "classic"),),
    ),
)

GRAPHQL_DAYS, CLASSIC_DAYS = 5, 3
"""Business days an application takes at most, as MakeShop tells applicants."""

_CATALOGUE_JA = "`inventory-sync serve` が動いている間に自動で取り込みます。"

STEPS = (
    Step(
        "apply",
        "Apply for the use of the API",
        "API の利用を申請する",
        "New admin, as the main administrator: アプリ管理 / API利用設定. Apply for shop, product, stock and order "
        "information; about five business days.",
        "メイン管理者で新管理画面の「アプリ管理 / API利用設定」から、ショップ・商品・在庫・注文の情報種別を申請します"
        "(約5営業日)。",
        StepProof.APPROVAL,
        ways=(GRAPHQL,),
        business_days=GRAPHQL_DAYS,
    ),
    Step(
        "credentials",
        "Copy the permanent access token and the API key",
        "永続アクセストークンとAPIキーをコピーする",
        "MakeShop's mail about the finished application, and the same admin page. The token begins with PAT. "
        "Never uninstall the app to try something out: the token ends for ever.",
        "申請完了のメールと同じ管理画面にあります。トークンは PAT. で始まります。試しにアンインストールする"
        "とトークンは失効"
        "するため、おやめください。",
        StepProof.ANSWERS,
        fields=("access_token", "api_key"),
        more_fields=("shop_id",),
        ways=(GRAPHQL,),
        problems=("IS-MKS-010",),
    ),
    Step(
        "operations",
        "Every operation we need is approved",
        "必要な操作がすべて承認されている",
        "The connection test asks each operation once and names those that are missing; add them in the same place.",
        "接続の検証で操作を1つずつ確認し、不足しているものを表示します。同じ画面で追加できます。",
        StepProof.VERIFIED,
        ways=(GRAPHQL,),
        problems=("IS-MKS-011", "IS-MKS-012"),
    ),
    Step(
        "calibrate",
        "Find out how stock writes are understood",
        "在庫更新の計算方法を確認する",
        "`inventory-sync connection calibrate NAME --item CODE` with a product that is hidden and has some stock.",
        "非公開で在庫のある商品を指定して `inventory-sync connection calibrate 接続名 --item コード` を実行します。",
        StepProof.CALIBRATION,
        ways=(GRAPHQL,),
        problems=("IS-MKS-013", "IS-MKS-041"),
    ),
    Step(
        "webhook_secret",
        "Copy the secret key for webhooks",
        "Webhook用の秘密鍵をコピーする",
        "It is issued together with the API key.",
        "APIキーとともに発行されます。",
        StepProof.ANSWERS,
        fields=("webhook_secret",),
        ways=(GRAPHQL,),
        optional=True,
    ),
    Step(
        "external_menu",
        "Look whether the shop is linked with other software already",
        "すでに外部システムと連携しているか確認する",
        "The admin has the menu 外部システム連携 with three sub-menus: products, orders, members. If they are there, "
        "nothing has to be applied for: `inventory-sync connection approval NAME granted`.",
        "管理画面に「外部システム連携」メニューがあり、商品・注文・会員の 3 つのサブメニューが表示されるか確認"
        "します。表示されていれば申請は不要です: `inventory-sync connection approval 接続名 granted`",
        StepProof.PERSON,
        ways=(CLASSIC,),
        optional=True,
    ),
    Step(
        "application",
        "Have the data for the application ready",
        "申請に使う情報を用意する",
        "The shop's name, the user's name, the shop ID, and the shop's address: of several domains the one that the "
        "admin marks 適用中. Leave them empty where nothing has to be applied for.",
        "ショップ名、利用者名、ショップID、ショップURL。ドメインが複数ある場合は管理画面で「適用中」のものを使い"
        "ます。申請が不要な場合は空欄のままにします。",
        StepProof.ANSWERS,
        fields=("shop_name", "user_name", "shop_url"),
        ways=(CLASSIC,),
        optional=True,
    ),
    Step(
        "apply_codes",
        "Apply for the authentication codes, unless they are shown already",
        "認証コードの利用を申請する(すでに表示されている場合は不要)",
        "Look at ショップ構築 > 設定 > API > 商品. If a code is shown, access is granted already; otherwise apply at "
        "MakeShop with its form for product data linking. The code appears after one to three business days; if it "
        "does not, ask MakeShop's support by form.",
        "「ショップ構築 > 設定 > API > 商品」を確認します。認証コードが表示されていれば申請は不要です。表示"
        "されていない場合は"
        "makeshopの商品データ連携の申請フォームから申請します。1〜3営業日で表示されます。表示されない場合は"
        "makeshopのサポートに"
        "フォームで問い合わせてください。",
        StepProof.APPROVAL,
        ways=(CLASSIC,),
        business_days=CLASSIC_DAYS,
    ),
    Step(
        "shop_id",
        "Find the shop ID",
        "ショップIDを確認する",
        "The ID that the shop's admin is entered with.",
        "ショップの管理画面にログインするときのIDです。",
        StepProof.ANSWERS,
        fields=("shop_id",),
        ways=(CLASSIC,),
        problems=("IS-MKC-001",),
    ),
    Step(
        "product_code",
        "Copy the product authentication code; never issue a new one",
        "商品の認証コードをコピーする(再発行はしない)",
        "ショップ構築 > 設定 > API > 商品 > 認証コード. Other tools share the code: copy the one that was issued.",
        "「ショップ構築 > 設定 > API > 商品 > 認証コード」にあります。ほかのツールも同じコードを使っているた"
        "め、再発行せずに"
        "発行済みのコードをコピーします。",
        StepProof.ANSWERS,
        fields=("product_auth_code",),
        ways=(CLASSIC,),
        problems=("IS-MKC-002",),
    ),
    Step(
        "order_code",
        "Copy the order authentication code; never issue a new one",
        "注文の認証コードをコピーする(再発行はしない)",
        "The order page beside it: 注文データ連携設定. It is another code than that of the products.",
        "隣の注文の画面(注文データ連携設定)にあります。商品のコードとは別のものです。",
        StepProof.ANSWERS,
        fields=("order_auth_code",),
        ways=(CLASSIC,),
        problems=("IS-MKC-001",),
    ),
    Step(
        "administrator",
        "Have the main administrator's password ready",
        "メイン管理者のパスワードを用意する",
        f"A sub-administrator cannot write stock. The password has at most {MAX_PASSWORD} characters; shorten a longer "
        "one at MakeShop first. The ID is the shop ID unless another is given.",
        f"副管理者では在庫を書き込めません。パスワードは{MAX_PASSWORD}文字以内です。長い場合は先にmakeshopで"
        "変更してください。"
        "管理者IDを省略するとショップIDを使います。",
        StepProof.ANSWERS,
        fields=("admin_password",),
        more_fields=("admin_id",),
        ways=(CLASSIC,),
        problems=("IS-MKC-003", "IS-MKC-004"),
    ),
    Step(
        "notices",
        "Notices arrive",
        "通知が届く",
        "GraphQL: declare {webhook_url}/order and the other addresses of the guide. Classic: enter the address that "
        "`inventory-sync connection notify-url NAME` shows, at 外部システム連携 > 注文データ連携設定 > 更新"
        "通知APIのURL.",
        "GraphQLでは {webhook_url}/order などガイドのURLを登録します。従来APIでは `inventory-sync "
        "connection notify-url "
        "接続名` で表示されるURLを「外部システム連携 > 注文データ連携設定 > 更新通知APIのURL」に入力します。",
        StepProof.NOTICES,
        problems=("IS-MKS-051",),
        optional=True,
    ),
    Step(
        "catalogue",
        "The catalogue is in",
        "商品を取り込む",
        "GraphQL: it is imported by itself while `inventory-sync serve` runs. Classic: `inventory-sync connection "
        "upload NAME FILE…` with the product and the option CSV.",
        f"GraphQLでは{_CATALOGUE_JA}従来APIでは商品CSVとオプションCSVを `inventory-sync connection upload 接"
        "続名 ファイル…` "
        "で取り込みます。",
        StepProof.CATALOGUE,
    ),
)

READS_EN = ("products with their codes", "stock levels", "of an order: number, lines, codes, quantities, state")
READS_JA = ("商品とコード", "在庫数", "注文の番号・明細・コード・数量・状態")
