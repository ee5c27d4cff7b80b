"""Every problem this adapter can report: a stable code, what is wrong and what to do, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.systems.problem import Problem

KEY_REFUSED = Problem(
    "IS-BLT-001",
    "The ledger refused the key",
    "在庫台帳にキーが拒否されました",
    "Make a new key with `inventory-sync ledger keys create` where the ledger lives and renew the connection.",
    "台帳側で `inventory-sync ledger keys create` を実行して新しいキーを作成し、接続を更新してください。",
)
SCOPE_MISSING = Problem(
    "IS-BLT-002",
    "The key may read the ledger and not write it",
    "キーが読み取り専用です",
    "Make a key of scope write where the ledger lives and renew the connection.",
    "台帳側で書き込み権限(write)のキーを作成し、接続を更新してください。",
)
NOT_A_LEDGER = Problem(
    "IS-BLT-003",
    "There is no ledger at this address",
    "このアドレスに在庫台帳がありません",
    "Check base_url: it is the public address of another installation, without /ledger/v1.",
    "base_urlを確認してください。別のインストールの公開URLを、/ledger/v1を付けずに指定します。",
)
NO_SUCH_LABEL = Problem(
    "IS-BLT-004",
    "The ledger has no such stock label",
    "在庫台帳にこの在庫区分がありません",
    "Compare label to the character, or add it with `inventory-sync ledger labels put`.",
    "labelを確認するか、`inventory-sync ledger labels put` で追加してください。",
)
OUT_OF_BUDGET = Problem(
    "IS-BLT-005",
    "The connection's rate budget is spent for the moment",
    "リクエスト上限に合わせて待機しています",
    "Nothing to do; the call goes out as soon as the budget allows.",
    "対応は不要です。上限の範囲内で順に送信します。",
)
UNAVAILABLE = Problem(
    "IS-BLT-006",
    "The ledger is not available at the moment",
    "在庫台帳が一時的に利用できません",
    "Nothing to do; it is tried again. If it lasts, look at the installation the ledger lives in.",
    "対応は不要です。自動で再試行します。続く場合は台帳のあるインストールを確認してください。",
)
NOT_JSON = Problem(
    "IS-BLT-007",
    "The ledger's answer is not JSON although its status says success",
    "成功ステータスなのに応答がJSONではありません",
    "Nothing to do; the call is repeated. If it lasts, look for a proxy that changes answers.",
    "対応は不要です。再試行します。続く場合は途中の機器が応答を書き換えていないか確認してください。",
)
UNKNOWN_SHAPE = Problem(
    "IS-BLT-008",
    "The ledger's answer has a form this version does not know",
    "応答の形式がこのバージョンの想定と異なります",
    "Bring both installations to the same version; the answer was not used.",
    "両方のインストールを同じバージョンにしてください。応答は使用していません。",
)
REFUSED_CALL = Problem(
    "IS-BLT-009",
    "The ledger refused our call as malformed",
    "リクエストの形式が在庫台帳に拒否されました",
    "Report this code with the call it names; nothing was changed.",
    "表示された呼び出しとともにこのコードを報告してください。変更は行われていません。",
)
CHANGE_REFUSED = Problem(
    "IS-BLT-020",
    "The ledger refused the stock change",
    "在庫台帳が在庫変更を拒否しました",
    "Look at the item in the ledger with `inventory-sync ledger get`, then release it from quarantine.",
    "`inventory-sync ledger get` で商品を確認し、保留を解除してください。",
)
NEIGHBOUR_REFUSED = Problem(
    "IS-BLT-021",
    "Another line of the same request was refused",
    "同じリクエストの別の行が拒否されました",
    "Nothing to do; this change goes out again without the other.",
    "対応は不要です。該当行を除いて再送します。",
)
CHANGE_IMPOSSIBLE = Problem(
    "IS-BLT-022",
    "A stock change cannot be expressed in the ledger's terms",
    "在庫変更を在庫台帳の形式で表せません",
    "Report this code with the item it names; nothing was sent.",
    "表示された商品とともにこのコードを報告してください。送信は行われていません。",
)
OUTCOME_UNKNOWN = Problem(
    "IS-BLT-030",
    "It is not known whether the ledger carried out the stock change",
    "在庫変更が実行されたか確認できません",
    "Nothing to do; the same request is sent again under the same key.",
    "対応は不要です。同じキーで同じリクエストを再送します。",
)

PROBLEMS: Mapping[str, Problem] = {
    value.code: value for _, value in sorted(globals().items()) if isinstance(value, Problem)
}
