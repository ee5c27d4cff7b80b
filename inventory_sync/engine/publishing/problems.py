"""Every reason for which a file of publish rules is refused, besides those that any table has."""

from __future__ import annotations

from inventory_sync.ledger.files.problems import Reason

UNKNOWN_COLUMN = Reason(
    "IS-PUB-001",
    "There is no column {name!r}. The columns are: {columns}.",
    "{name!r} という列はありません。使える列: {columns}",
)
UNDECODABLE = Reason(
    "IS-PUB-002",
    "These bytes are not {encoding}: {bytes}. Save the file as UTF-8, or name its encoding, as in "
    "`--encoding shift_jis`.",
    "{encoding} として読めないバイトです({bytes})。UTF-8 で保存するか、`--encoding shift_jis` のように"
    "文字コードを指定してください。",
)
TWICE = Reason(
    "IS-PUB-003",
    "This code stands in row {first} already.",
    "同じ商品コードが {first} 行目にあります。",
)
OUT_OF_RANGE = Reason(
    "IS-PUB-004",
    "{value} is not within {least} to {most}.",
    "{value} は {least} から {most} の範囲にありません。",
)
BAD_DATE = Reason(
    "IS-PUB-005",
    "{value!r} is not a day such as 2026-12-31, the last one on which the offset counts.",
    "{value!r} は 2026-12-31 の形の日付(加減が有効な最後の日)ではありません。",
)
BAD_EXCLUDE = Reason(
    "IS-PUB-006",
    "{value!r} is not understood here: write yes, or leave it empty.",
    "{value!r} は使えません。yes と書くか、空欄にしてください。",
)
FORMULA = Reason(
    "IS-PUB-007",
    "{value!r} looks like a formula of a spreadsheet, and no item of this route has such a code.",
    "{value!r} は表計算ソフトの数式のように見えます。このルートにそのコードの商品はありません。",
)
DAMAGED = Reason(
    "IS-PUB-008",
    "No item of this route has the code {code!r}; {near!r} was probably meant. {detail}",
    "このルートに商品コード {code!r} はありません。{near!r} の誤りと思われます。{detail_ja}",
)
ALONE = Reason(
    "IS-PUB-009",
    "A last day without an offset means nothing.",
    "加減の個数がないのに最後の日があります。",
)
NOT_PLAIN = Reason(
    "IS-PUB-010",
    "The channel wins on this route, so that its numbers must say how much stock there is: a share, a cap, an end or "
    "an exclusion cannot be set for a code.",
    "このルートは販売チャネルを優先するため、チャネルの数から在庫がわからなければなりません。割合・上限・終了数・対象外は"
    "設定できません。",
)
