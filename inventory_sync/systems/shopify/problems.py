"""Everything that can go wrong with Shopify, each under a stable code, in both languages, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the table. `ours` True: only a new version of this product mends it."""

    code: str
    en: str
    remedy_en: str
    ja: str
    remedy_ja: str
    ours: bool = False


_REPORT_EN = "Report this with the code: it needs a new version of inventory-sync."
_REPORT_JA = "このコードを添えて報告してください。inventory-sync の更新が必要です。"
_NOTHING_EN = "Nothing to do; it is tried again by itself."
_NOTHING_JA = "操作は不要です。自動的に再試行します。"

_TABLE = (
    Problem(
        "IS-SHP-001",
        "Shopify could not be reached",
        "Check the network, the proxy and the name resolution of this machine.",
        "Shopify に接続できません",
        "このサーバーのネットワーク、プロキシ、名前解決を確認してください。",
    ),
    Problem(
        "IS-SHP-002", "Shopify gave no answer in time", _NOTHING_EN, "Shopify から時間内に応答がありません", _NOTHING_JA
    ),
    Problem(
        "IS-SHP-003", "Shopify had an internal error", _NOTHING_EN, "Shopify 側で内部エラーが発生しました", _NOTHING_JA
    ),
    Problem(
        "IS-SHP-004",
        "Shopify's answer could not be understood",
        "If it goes on, check that nothing between this machine and Shopify (proxy, filter) answers in its place.",
        "Shopify の応答を解釈できません",
        "続く場合は、途中のプロキシやフィルターが代わりに応答していないか確認してください。",
    ),
    Problem(
        "IS-SHP-005",
        "the query budget of the shop is used up for the moment",
        _NOTHING_EN,
        "ショップの API 割り当てを一時的に使い切りました",
        _NOTHING_JA,
    ),
    Problem(
        "IS-SHP-006",
        "Shopify throttled the request",
        "Nothing to do; if it happens often, another installation shares this app's credentials.",
        "Shopify が要求を制限しました",
        "操作は不要です。頻発する場合は、同じアプリの認証情報を別の環境でも使っていないか確認してください。",
    ),
    Problem(
        "IS-SHP-007",
        "Shopify rejected the request for security reasons",
        "It is tried again slowly. If it goes on, ask Shopify support whether this machine's address is blocked.",
        "Shopify がセキュリティ上の理由で要求を拒否しました",
        "間隔を空けて再試行します。続く場合は、IP アドレスの遮断がないか Shopify サポートに確認してください。",
    ),
    Problem(
        "IS-SHP-010",
        "Shopify refuses the access token",
        "Check that the app is still installed in the shop; correct its credentials in the file and apply it.",
        "アクセストークンが拒否されました",
        "アプリがインストールされているか確認し、設定ファイルの認証情報を直して apply してください。",
    ),
    Problem(
        "IS-SHP-011",
        "Shopify refuses the client id or client secret",
        "Copy both again from the app's Settings page in the Dev Dashboard into the file, and apply it.",
        "クライアント ID またはシークレットが拒否されました",
        "Dev Dashboard のアプリの「設定」から両方をコピーし直してください (設定ファイルを直して apply)。",
    ),
    Problem(
        "IS-SHP-012",
        "the app may not sign in to this shop by itself",
        "App and shop must belong to the same organization: create the app in the Dev Dashboard of the shop's own one.",
        "このアプリはこのショップに自動でサインインできません",
        "アプリとショップは同じ組織に属する必要があります。ショップの組織の Dev Dashboard でアプリを作成してください。",
    ),
    Problem(
        "IS-SHP-013",
        "the app is not installed in the shop",
        "Install it from the app's page in the Dev Dashboard, then apply the configuration file again.",
        "アプリがショップにインストールされていません",
        "Dev Dashboard のアプリのページからインストールし、再連携してください。",
    ),
    Problem(
        "IS-SHP-014",
        "the app lacks an access scope",
        "Add the scope named here to the app, release the version, and accept it in the shop.",
        "アプリに必要なアクセススコープがありません",
        "表示されたスコープをアプリに追加してバージョンをリリースし、ショップで承認してください。",
    ),
    Problem(
        "IS-SHP-015",
        "Shopify forbids the access",
        "Check the app's scopes and the state of the shop in the Shopify admin.",
        "Shopify がアクセスを禁止しています",
        "アプリのスコープと、管理画面でのショップの状態を確認してください。",
    ),
    Problem(
        "IS-SHP-016",
        "the shop is frozen for an unpaid bill",
        "Settle the bill in the Shopify admin; it is tried every hour.",
        "ショップが未払いのため凍結されています",
        "Shopify 管理画面で支払いを済ませてください。1 時間ごとに再試行します。",
    ),
    Problem(
        "IS-SHP-017",
        "Shopify has locked the shop",
        "Ask Shopify support; it is tried every six hours.",
        "ショップがロックされています",
        "Shopify サポートに問い合わせてください。6 時間ごとに再試行します。",
    ),
    Problem(
        "IS-SHP-018",
        "the shop is not active",
        "Resume the shop's plan in the Shopify admin; it is tried every hour.",
        "ショップが有効ではありません",
        "Shopify 管理画面でプランを再開してください。1 時間ごとに再試行します。",
    ),
    Problem(
        "IS-SHP-019",
        "there is no such shop, or no such API version",
        "Compare `shop` with the host part before .myshopify.com, and `api_version` with the supported list.",
        "ショップまたは API バージョンが存在しません",
        "shop が .myshopify.com の前の部分と一致するか、api_version が対応一覧にあるか確認してください。",
    ),
    Problem(
        "IS-SHP-020",
        "the credentials belong to another shop",
        "Use the credentials of the app that is installed in the shop named in the settings.",
        "認証情報が別のショップのものです",
        "設定の shop にインストールしたアプリの認証情報を使ってください。",
    ),
    Problem(
        "IS-SHP-021",
        "Shopify redirected the request",
        "The shop's address may have changed: see Settings > Domains for its .myshopify.com name.",
        "要求が転送されました",
        "ショップのアドレスが変わった可能性があります。「設定 > ドメイン」で .myshopify.com の名前を確認してください。",
    ),
    Problem(
        "IS-SHP-030",
        "Shopify refused the request as malformed",
        _REPORT_EN,
        "要求の形式が正しくないとして拒否されました",
        _REPORT_JA,
        ours=True,
    ),
    Problem(
        "IS-SHP-031",
        "the request is larger than Shopify allows",
        _REPORT_EN,
        "要求が Shopify の上限を超えています",
        _REPORT_JA,
        ours=True,
    ),
    Problem(
        "IS-SHP-032", "Shopify ignored a search filter", _REPORT_EN, "検索条件が無視されました", _REPORT_JA, ours=True
    ),
    Problem(
        "IS-SHP-033",
        "an idempotency key was used for two different requests",
        _REPORT_EN,
        "同じ冪等キーが異なる要求に使われました",
        _REPORT_JA,
        ours=True,
    ),
    Problem(
        "IS-SHP-034",
        "Shopify refused the wording of a stock change",
        _REPORT_EN,
        "在庫変更の指定内容が拒否されました",
        _REPORT_JA,
        ours=True,
    ),
    Problem(
        "IS-SHP-035",
        "Shopify refused the address for webhooks",
        "PUBLIC_URL must be an https address that is reachable from the internet with a valid certificate.",
        "Webhook の送信先が拒否されました",
        "PUBLIC_URL は有効な証明書を持つ、インターネットから到達できる https の URL にしてください。",
        ours=True,
    ),
    Problem(
        "IS-SHP-036",
        "a batch was put together against the rules",
        _REPORT_EN,
        "バッチの構成が規則に反しています",
        _REPORT_JA,
        ours=True,
    ),
    Problem(
        "IS-SHP-040", "the stock moved before the write", _NOTHING_EN, "書き込みの前に在庫が変わりました", _NOTHING_JA
    ),
    Problem(
        "IS-SHP-041",
        "the same request is still being carried out",
        _NOTHING_EN,
        "同じ要求がまだ処理中です",
        _NOTHING_JA,
    ),
    Problem(
        "IS-SHP-042",
        "an earlier attempt with this key failed",
        _NOTHING_EN,
        "このキーの以前の試行が失敗しました",
        _NOTHING_JA,
    ),
    Problem(
        "IS-SHP-043",
        "Shopify's stock service was unavailable",
        _NOTHING_EN,
        "Shopify の在庫サービスが利用できませんでした",
        _NOTHING_JA,
    ),
    Problem(
        "IS-SHP-050",
        "Shopify does not know the item",
        "It was probably deleted: refresh the catalogue, then retry or exclude the item (quarantine).",
        "商品が Shopify に存在しません",
        "削除された可能性があります。カタログを更新し、隔離一覧から再試行または除外してください。",
    ),
    Problem(
        "IS-SHP-051",
        "Shopify does not know the location, or it is deactivated",
        "Check Settings > Locations in the Shopify admin and the route's location pairs.",
        "ロケーションが存在しないか、無効になっています",
        "Shopify 管理画面の「設定 > ロケーション」と、ルートのロケーション対応を確認してください。",
    ),
    Problem(
        "IS-SHP-052",
        "the item's stock is derived from its components and cannot be written",
        "Pair the components instead of the bundle.",
        "バンドル商品の在庫は構成品から計算されるため書き込めません",
        "バンドルではなく構成品を紐付けてください。",
    ),
    Problem(
        "IS-SHP-053",
        "the quantity would leave the range Shopify allows",
        "Check the number in the ledger: it is beyond a billion.",
        "数量が Shopify の許容範囲を超えます",
        "在庫台帳の数量を確認してください。10 億を超えています。",
    ),
    Problem(
        "IS-SHP-054",
        "Shopify refused this row",
        "Read Shopify's own words in the reason; mend the item there, then retry it (quarantine release).",
        "この行が拒否されました",
        "理由欄の Shopify の説明を確認し、商品を修正してから再試行してください (quarantine release)。",
    ),
    Problem(
        "IS-SHP-055",
        "Shopify refused to stock the item at the location",
        "Stock it there by hand in the Shopify admin, or take the location out of the route.",
        "このロケーションでの在庫管理の開始が拒否されました",
        "Shopify 管理画面で手動で有効にするか、ルートからこのロケーションを外してください。",
    ),
    Problem(
        "IS-SHP-056",
        "another row of the same call was refused",
        "Nothing to do; this change goes out again without the other.",
        "同じ要求の別の行が拒否されました",
        "操作は不要です。該当する行を除いて再送します。",
    ),
    Problem(
        "IS-SHP-057",
        "the shop answered success and changed nothing",
        "Nothing to do; the number is read and the change decided again.",
        "Shopify は成功と応答しましたが、在庫数は変わっていません",
        "操作は不要です。在庫数を読み直してから、もう一度判断します。",
    ),
    Problem(
        "IS-SHP-060",
        "a webhook's signature is missing or wrong",
        "If real webhooks fail too, the secret in the settings is not that of the app: enter it again.",
        "Webhook の署名がないか、正しくありません",
        "本物の Webhook も失敗する場合は、設定のシークレットがアプリのものと異なります。入力し直してください。",
    ),
    Problem(
        "IS-SHP-061",
        "a webhook came from another shop",
        "Remove the subscription with this address from the other shop.",
        "別のショップからの Webhook です",
        "別のショップにある、この URL 宛ての購読を削除してください。",
    ),
    Problem("IS-SHP-062", "a webhook could not be read", _REPORT_EN, "Webhook を解釈できません", _REPORT_JA, ours=True),
    Problem(
        "IS-SHP-063",
        "Shopify offers no history of a stock number that could be read",
        "Nothing to do; writes are proven by their idempotency key.",
        "Shopify には読み取れる在庫履歴がありません",
        "操作は不要です。書き込みは冪等キーで確認します。",
    ),
)

PROBLEMS = {each.code: each for each in _TABLE}


def say(code: str, detail: str = "") -> str:
    """The English sentence of a problem, with a detail behind a colon."""
    text = PROBLEMS[code].en
    return f"{text}: {detail}" if detail else text
