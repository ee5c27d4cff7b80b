"""Every problem the built-in ledger can report: a stable code, what is wrong and what to do, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem as a person reads it, and the HTTP status the API answers it with."""

    code: str
    status: int
    en: str
    ja: str
    remedy_en: str
    remedy_ja: str


BAD_REQUEST = Problem(
    "IS-LDG-001",
    400,
    "The request cannot be understood.",
    "リクエストを理解できません。",
    "Send what the guide of the built-in ledger shows; the answer names the place.",
    "組み込み在庫台帳のガイドに沿って送信してください。応答に該当箇所が示されます。",
)
UNAUTHORIZED = Problem(
    "IS-LDG-002",
    401,
    "The key is missing, wrong or revoked.",
    "キーがない、間違っている、または失効しています。",
    "Send the header Authorization: Bearer KEY with a key made by `inventory-sync ledger keys create`.",
    "`inventory-sync ledger keys create` で作成したキーを Authorization: Bearer KEY ヘッダーで送信してください。",
)
FORBIDDEN = Problem(
    "IS-LDG-003",
    403,
    "This key may read and not write.",
    "このキーは読み取り専用です。",
    "Use a key of scope write.",
    "書き込み権限(write)のキーを使ってください。",
)
NOT_FOUND = Problem(
    "IS-LDG-004",
    404,
    "The ledger has nothing at this address.",
    "このアドレスには何もありません。",
    "Compare the path with the guide of the built-in ledger.",
    "組み込み在庫台帳のガイドでパスを確認してください。",
)
METHOD_NOT_ALLOWED = Problem(
    "IS-LDG-005",
    405,
    "This address does not answer this method.",
    "このアドレスではこのメソッドを使えません。",
    "Use a method that the header Allow names.",
    "Allow ヘッダーに示されたメソッドを使ってください。",
)
TOO_LARGE = Problem(
    "IS-LDG-006",
    413,
    "The request is larger than 1 MiB or has more than 500 lines.",
    "リクエストが1 MiBまたは500行を超えています。",
    "Send it in parts, each under an idempotency key of its own.",
    "分割し、それぞれ別の冪等キーで送信してください。",
)
REFUSED = Problem(
    "IS-LDG-010",
    422,
    "Nothing was booked, because a line cannot be.",
    "処理できない行があるため、何も計上していません。",
    "Mend the lines that are named and send the whole again.",
    "示された行を直し、全体をもう一度送信してください。",
)
BAD_VALUE = Problem(
    "IS-LDG-011",
    422,
    "A value is not what this field takes.",
    "項目の値が正しくありません。",
    "Send what the message asks for.",
    "メッセージに示された形式で送信してください。",
)
UNKNOWN_ITEM = Problem(
    "IS-LDG-012",
    422,
    "The ledger has no item of this SKU.",
    "このSKUの商品は在庫台帳にありません。",
    "Compare the SKU to the character, blanks included, or put the item first.",
    "空白も含めてSKUを確認するか、先に商品を登録してください。",
)
UNTRACKED_ITEM = Problem(
    "IS-LDG-013",
    422,
    "The stock of this item is not tracked.",
    "この商品は在庫管理の対象外です。",
    "Set tracked to true for the item first.",
    "先に商品のtrackedをtrueにしてください。",
)
UNKNOWN_LOCATION = Problem(
    "IS-LDG-014",
    422,
    "The ledger has no such location.",
    "このロケーションは在庫台帳にありません。",
    "Compare the location to the character, or put it first.",
    "ロケーションを確認するか、先に登録してください。",
)
UNKNOWN_LABEL = Problem(
    "IS-LDG-015",
    422,
    "The ledger has no such stock label.",
    "この在庫区分は在庫台帳にありません。",
    "Compare the label, or add it with `inventory-sync ledger labels put`.",
    "在庫区分を確認するか、`inventory-sync ledger labels put` で追加してください。",
)
BELOW_ZERO = Problem(
    "IS-LDG-016",
    422,
    "The level would go below 0, which its label does not allow.",
    "在庫数が0未満になります。この在庫区分では許可されていません。",
    "Count the goods again. A sale that has happened is booked with kind sale and never refused.",
    "現物を数え直してください。すでに成立した販売はkindをsaleにすれば計上できます。",
)
OUT_OF_BOUNDS = Problem(
    "IS-LDG-017",
    422,
    "The level would leave the range of -999,999,999 to 999,999,999.",
    "在庫数が-999,999,999から999,999,999の範囲を超えます。",
    "Check the number; no stock is that large.",
    "数量を確認してください。",
)
KEY_MISSING = Problem(
    "IS-LDG-020",
    400,
    "A request that adds or subtracts needs the header Idempotency-Key.",
    "加算・減算のリクエストにはIdempotency-Keyヘッダーが必要です。",
    "Send a new value for each change, and the same value when you repeat one.",
    "変更ごとに新しい値を、再送のときは同じ値を付けてください。",
)
KEY_CONFLICT = Problem(
    "IS-LDG-021",
    409,
    "This idempotency key was used before, for something else.",
    "この冪等キーは別の内容で使用済みです。",
    "Send a new key with a new change; repeat a change to the byte.",
    "新しい変更には新しいキーを使い、再送のときは内容を変えないでください。",
)
NO_BOOK = Problem(
    "IS-LDG-030",
    404,
    "There is no built-in ledger of this name.",
    "この名前の組み込み在庫台帳はありません。",
    "Name a connection of `system: builtin` that was applied.",
    "適用済みの `system: builtin` の接続名を指定してください。",
)
NAME_TAKEN = Problem(
    "IS-LDG-031",
    409,
    "The name or address is in use already.",
    "その名前またはURLはすでに使われています。",
    "Choose another, or end the one that has it first.",
    "別のものを選ぶか、先に使用中のものを終了してください。",
)
NO_KEY = Problem(
    "IS-LDG-032",
    404,
    "There is no such key or webhook, or it ended already.",
    "該当するキーまたはWebhookがないか、すでに終了しています。",
    "Look it up with `inventory-sync ledger keys list` or `inventory-sync ledger hooks list`.",
    "`inventory-sync ledger keys list` または `inventory-sync ledger hooks list` で確認してください。",
)
SEVERAL_BOOKS = Problem(
    "IS-LDG-033",
    400,
    "There is not exactly one built-in ledger: say which.",
    "組み込み在庫台帳が1つではないため、指定が必要です。",
    "Name it with --book.",
    "--book で指定してください。",
)

PROBLEMS: Mapping[str, Problem] = {
    value.code: value for _, value in sorted(globals().items()) if isinstance(value, Problem)
}
