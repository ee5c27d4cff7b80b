"""Every problem this adapter can report: a stable code, what is wrong and what to do, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.systems.problem import Problem

CREDENTIAL_REFUSED = Problem(
    "IS-SMR-001",
    "Smaregi refused the client ID or client secret",
    "クライアントIDまたはクライアントシークレットがスマレジに拒否されました",
    "Check that the contract uses the app, then copy the client ID and secret of its environment again and renew.",
    "契約でアプリを利用中か確認し、環境(サンドボックス/本番)に合ったクライアントIDとシークレットで接続を更新してください。",
)
TOKEN_REFUSED = Problem(
    "IS-SMR-002",
    "Smaregi refused a freshly issued access token",
    "発行直後のアクセストークンがスマレジに拒否されました",
    "Check that the app is still in use on the contract and not suspended, then verify the connection.",
    "契約でアプリの利用が停止されていないことを確認し、接続を検証してください。",
)
SCOPE_MISSING = Problem(
    "IS-SMR-003",
    "The app lacks a scope, or it is not approved yet on the contract's My Page",
    "アプリのスコープが不足しているか、契約のマイページでまだ承認されていません",
    "Switch the named scope on in the app, then let the contract's administrator approve it on My Page.",
    "表示されたスコープをアプリで有効にし、契約の管理者がマイページで承認してください。",
)
CONTRACT_UNKNOWN = Problem(
    "IS-SMR-004",
    "Smaregi does not know this contract in this environment",
    "この環境に該当する契約IDがありません",
    "Check the contract ID; sandbox contracts begin with sb_ and work with sandbox credentials only.",
    "契約IDを確認してください。サンドボックスの契約IDはsb_で始まり、サンドボックス用の認証情報だけで使えます。",
)
THROTTLED = Problem(
    "IS-SMR-005",
    "Smaregi asked us to slow down",
    "スマレジのリクエスト上限に達しました",
    "Nothing to do; it goes on at half speed for a while. If it repeats, lower reads_per_second and writes_per_second.",
    "対応は不要です。しばらく半分の速度で続行します。繰り返す場合はreads_per_secondとwrites_per_secondを下げてください。",
)
UNAVAILABLE = Problem(
    "IS-SMR-006",
    "Smaregi answered with a server error",
    "スマレジがサーバーエラーを返しました",
    "Nothing to do; it is tried again. If it lasts, look at Smaregi's maintenance notices.",
    "対応は不要です。自動で再試行します。続く場合はスマレジのメンテナンス情報を確認してください。",
)
UNREACHABLE = Problem(
    "IS-SMR-007",
    "Smaregi could not be reached or did not answer in time",
    "スマレジに接続できないか、時間内に応答がありませんでした",
    "Nothing to do; it is tried again. If it lasts, check this machine's network and the addresses in the settings.",
    "対応は不要です。自動で再試行します。続く場合はネットワークと設定のURLを確認してください。",
)
NOT_JSON = Problem(
    "IS-SMR-008",
    "Smaregi's answer is not JSON although its status says success",
    "成功ステータスなのに応答がJSONではありません",
    "Nothing to do; the answer is not used and the call repeated. If it lasts, look for a proxy that changes answers.",
    "対応は不要です。応答は使わずに再試行します。続く場合は途中の機器が応答を書き換えていないか確認してください。",
)
UNKNOWN_SHAPE = Problem(
    "IS-SMR-009",
    "Smaregi's answer has a form this version does not know",
    "応答の形式がこのバージョンの想定と異なります",
    "Report this code with the call it names; the answer was not used.",
    "表示された呼び出しとともにこのコードを報告してください。応答は使用していません。",
)
BAD_NUMBER = Problem(
    "IS-SMR-010",
    "Smaregi sent a stock number that is not a whole number",
    "在庫数が整数として読み取れません",
    "Look at the item in Smaregi; until it reads as a whole number the cell keeps its last known level.",
    "スマレジで該当商品の在庫を確認してください。読み取れるまで最後に確認した在庫数を保持します。",
)
REFUSED_CALL = Problem(
    "IS-SMR-011",
    "Smaregi refused our call as malformed",
    "リクエストの形式がスマレジに拒否されました",
    "Report this code with the call it names; nothing was changed.",
    "表示された呼び出しとともにこのコードを報告してください。変更は行われていません。",
)
OUT_OF_BUDGET = Problem(
    "IS-SMR-012",
    "The contract's rate budget is spent for the moment",
    "契約のリクエスト上限に合わせて待機しています",
    "Nothing to do; the call goes out as soon as the budget allows.",
    "対応は不要です。上限の範囲内で順に送信します。",
)
PRODUCT_GONE = Problem(
    "IS-SMR-020",
    "Smaregi no longer has this product",
    "スマレジに該当の商品がありません",
    "Refresh the catalogue; if the product was made again it gets a new ID and is matched anew.",
    "商品情報を再取得してください。作り直した商品は新しいIDになるため、再度紐付けされます。",
)
CHANGE_REFUSED = Problem(
    "IS-SMR-021",
    "Smaregi refused the stock change",
    "スマレジが在庫変更を拒否しました",
    "Check that the store still exists and that the stock would stay between -999,999,999 and 999,999,999.",
    "店舗が存在すること、変更後の在庫数が-999,999,999から999,999,999の範囲であることを確認してください。",
)
CHANGE_CONFLICTS = Problem(
    "IS-SMR-022",
    "Smaregi refused the stock change because of the state it is in",
    "状態の競合により在庫変更が拒否されました",
    "Look at the item in Smaregi, then release it from quarantine.",
    "スマレジで該当商品を確認し、保留を解除してください。",
)
CHANGE_IMPOSSIBLE = Problem(
    "IS-SMR-023",
    "A stock change cannot be expressed in Smaregi's terms",
    "在庫変更をスマレジの形式で表せません",
    "Report this code with the item and store it names; nothing was sent.",
    "表示された商品と店舗とともにこのコードを報告してください。送信は行われていません。",
)
ID_IMPOSSIBLE = Problem(
    "IS-SMR-024",
    "A product or store ID is not in Smaregi's form",
    "商品IDまたは店舗IDがスマレジの形式ではありません",
    "Refresh locations and catalogue of this connection; nothing was sent.",
    "この接続の店舗と商品情報を再取得してください。送信は行われていません。",
)
OUTCOME_UNKNOWN = Problem(
    "IS-SMR-030",
    "It is not known whether Smaregi carried out the stock change",
    "在庫変更が実行されたか確認できません",
    "Nothing to do; the change is looked up by its memo in the stock history before anything is repeated.",
    "対応は不要です。在庫変動履歴のメモで確認してから処理を続けます。",
)
HISTORY_OFF = Problem(
    "IS-SMR-040",
    "Reading the stock history (or its memo) is switched off for this connection",
    "この接続では在庫変動履歴(またはメモ)の参照が無効です",
    "Switch history and memo on if the contract can read them; without them doubts end at the lower number.",
    "契約で参照できる場合はhistoryとmemoを有効にしてください。無効の間、不明な変更は少ない方の数で確定します。",
)
HISTORY_NOT_GRANTED = Problem(
    "IS-SMR-041",
    "The contract may not read its stock history",
    "契約に在庫変動履歴を参照する権限がありません",
    "Approve the scope pos.stock-changes:read on My Page, or set history to false.",
    "マイページでスコープpos.stock-changes:readを承認するか、historyをfalseに設定してください。",
)
MEMO_NOT_RETURNED = Problem(
    "IS-SMR-042",
    "The stock history comes without memos",
    "在庫変動履歴にメモが含まれていません",
    "Set memo to false: our own changes cannot be recognised in this history.",
    "memoをfalseに設定してください。この履歴では自分の変更を識別できません。",
)
NO_WEBHOOK_SECRET = Problem(
    "IS-SMR-050",
    "No webhook secret is set, so no notice can prove where it comes from",
    "Webhookの共有シークレットが未設定のため、通知の送信元を確認できません",
    "Set webhook_secret and the same value as custom header in the app's webhook settings.",
    "webhook_secretを設定し、アプリのWebhook設定のカスタムヘッダーにも同じ値を設定してください。",
)
BAD_WEBHOOK_SECRET = Problem(
    "IS-SMR-051",
    "A notice came without the shared secret or with a wrong one",
    "共有シークレットがない、または一致しない通知を受信しました",
    "Compare the custom header in the app's webhook settings with webhook_header and webhook_secret.",
    "アプリのWebhook設定のカスタムヘッダーとwebhook_header、webhook_secretを照合してください。",
)
FOREIGN_CONTRACT = Problem(
    "IS-SMR-052",
    "A notice belongs to another contract than this connection",
    "通知の契約IDがこの接続と一致しません",
    "Point each contract's notices at its own connection, or at the address without a connection name.",
    "契約ごとの接続のURL、または接続名のない共通URLに通知を送信してください。",
)
UNREADABLE_NOTICE = Problem(
    "IS-SMR-053",
    "A notice with the right secret cannot be read",
    "正しいシークレットの通知ですが、内容を読み取れません",
    "Report this code; polling finds the change in the meantime.",
    "このコードを報告してください。変更は定期確認で検出されます。",
)
BAD_CALLBACK = Problem(
    "IS-SMR-054",
    "A callback came to an address that is not this connection's",
    "この接続のものではないアドレスにコールバックが届きました",
    "Nothing to do where the connection was linked anew: an old address stays dead. Its rows are looked up anyway.",
    "接続を作り直した後であれば対応は不要です。古いアドレスは無効のままで、結果は在庫変動履歴から確認されます。",
)

PROBLEMS: Mapping[str, Problem] = {
    value.code: value for name, value in sorted(globals().items()) if isinstance(value, Problem)
}
