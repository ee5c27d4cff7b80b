"""The two CSV layouts of MakeShop's bulk registration (商品一括登録, オプション一括登録), and how their bytes are read.

Columns 1 to 4 of the product layout and the rule that a wrong number of columns refuses a row:
www.makeshop.jp/manual/brand_csv_new.html. The other names are those of files seen in 2021.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

KEY_KIND = "商品特定コード指定"  # 0: the system code names the product, 1: the shop's own code
SYSTEM_CODE = "システム商品コード"
OWN_CODE = "独自商品コード"
NAME = "商品名"
QUANTITY = "数量"
JAN = "JANコード"
DISPLAY = "商品表示可否"
OPTION_KEY_KIND = "オプション特定コード指定"  # 0: the option's own code, 1: its two items
OPTION_CODE = "オプション独自コード"
OPTION_ITEM_1 = "オプション1項目"
OPTION_ITEM_2 = "オプション2項目"

PRODUCT_COLUMNS: tuple[str, ...] = (
    *(KEY_KIND, "更新時間フラグ", SYSTEM_CODE, OWN_CODE, "カテゴリー識別コード", "カテゴリーパス", NAME, "重量"),
    *("販売価格", "定価", "ポイント", "仕入価格", "製造元", "原産地", "原産地表示フラグ", QUANTITY, "数量表示フラグ"),
    *("最小注文限度数", "最大注文限度数", "陳列位置", "送料個別設定", "掲載開始日指定フラグ", "掲載開始日"),
    *(
        "掲載終了日指定フラグ",
        "掲載終了日",
        "掲載期間外表示可否",
        "割引使用フラグ",
        "割引率",
        "割引期間",
        "商品グループ",
    ),
    *("商品検索語", "商品別特殊表示", "オプション１名称", "オプション２名称", "オプショングループ", "拡大画像名"),
    *("普通画像名", "縮小画像名", "追加商品画像1", "画像説明文1", "追加商品画像2", "画像説明文2", "追加商品画像3"),
    *("画像説明文3", "レイアウト指定", "PC用メイン商品説明文", JAN, DISPLAY, "商品状態フラグ", "データ用商品名"),
    *("データ用詳細内容", "オプションの表示形式", "ISBNコード", "ブランド名", "MPN(メーカー型番)"),
    *("Googleショッピングカテゴリー", "性別", "年齢層", "色", "サイズ", "素材", "柄", "商品グループID"),
    *("アドワーズ用グループ", "アドワーズ用ラベル", "商品ページURL", "商品カテゴリー用商品説明文"),
    *("商品カテゴリー用商品説明文表示可否", "備考欄表示テキスト指定", "スマホ商品説明1", "スマホ商品説明2"),
    *("再入荷お知らせ", "決済グループ", "PC用追加説明文", "名入れグループ", "消費税率", "軽減税率対象"),
    *("ブラウザータイトル", "メタタグ：Description"),
)
OPTION_COLUMNS: tuple[str, ...] = (
    *(KEY_KIND, OPTION_KEY_KIND, SYSTEM_CODE, OWN_CODE, NAME, "商品カテゴリーパス"),
    *(OPTION_CODE, OPTION_ITEM_1, OPTION_ITEM_2, "販売価格", QUANTITY, JAN),
)

PRODUCT_NEEDED = (SYSTEM_CODE, OWN_CODE, NAME, QUANTITY, JAN)
OPTION_NEEDED = (SYSTEM_CODE, OPTION_CODE, QUANTITY, JAN)
UPLOAD_PRODUCT_NEEDED = (KEY_KIND, SYSTEM_CODE, QUANTITY)
UPLOAD_OPTION_NEEDED = (KEY_KIND, OPTION_KEY_KIND, SYSTEM_CODE, OPTION_CODE, QUANTITY)
BY_SYSTEM_CODE = "0"
BY_OPTION_CODE = "0"

# Six characters of JIS X 0208 have two homes in Unicode. Windows, and so the shop's own files, use the ones on the
# right; the Unicode Consortium's old JIS tables use the ones on the left. (0x8160 in Shift_JIS is the tilde.)
WINDOWS_VARIANTS = {
    "\u301c": "\uff5e",
    "\u2016": "\u2225",
    "\u2212": "\uff0d",
    "\u00a2": "\uffe0",
    "\u00a3": "\uffe1",
    "\u00ac": "\uffe2",
}
TWO_HOMES = frozenset(WINDOWS_VARIANTS) | frozenset(WINDOWS_VARIANTS.values())


_SYSTEM_CODE = re.compile(r"[0-9]{12}")  # seen in every live shop: 12 digits, zeros in front


def is_system_code(text: str) -> bool:
    """Whether a text can be a system code.

    >>> is_system_code("000000000084"), is_system_code("84")
    (True, False)
    """
    return _SYSTEM_CODE.fullmatch(text) is not None


class Encoding(StrEnum):
    """How a file's bytes are to be read; declared, never guessed. The byte order mark of UTF-8 may be there or not."""

    SHIFT_JIS = "shift_jis"
    UTF_8 = "utf-8"
    UTF_8_MARKED = "utf-8-sig"

    @property
    def codec(self) -> str:
        """Python's codec for writing. Shift_JIS means Windows' code page 932, which Japanese shops mean by it."""
        return "cp932" if self is Encoding.SHIFT_JIS else self.value


_NAMES = {
    "shift_jis": Encoding.SHIFT_JIS,
    "sjis": Encoding.SHIFT_JIS,
    "cp932": Encoding.SHIFT_JIS,
    "utf_8": Encoding.UTF_8,
    "utf8": Encoding.UTF_8,
    "utf_8_sig": Encoding.UTF_8_MARKED,
}


def encoding_named(name: str) -> Encoding:
    """The encoding of a name such as `shift_jis`, `utf-8` or `utf-8-sig`. Raises ValueError for others.

    >>> encoding_named("Shift_JIS")
    <Encoding.SHIFT_JIS: 'shift_jis'>
    """
    found = _NAMES.get(name.strip().lower().replace("-", "_"))
    if found is None:
        raise ValueError(f"write shift_jis, utf-8 or utf-8-sig for the encoding of the CSV files, not {name!r}")
    return found


def write(columns: Sequence[str], rows: Iterable[Sequence[str]], encoding: Encoding) -> bytes:
    """A CSV file with a header: CRLF, quotes only where needed. Raises UnicodeEncodeError for what has no byte.

    What would come back as another character has none: a codec may write two of them as one byte.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    text = buffer.getvalue()
    content = text.encode(encoding.codec)
    back = content.decode(encoding.codec)
    if back != text:
        at = next(place for place, (old, new) in enumerate(zip(text, back, strict=False)) if old != new)
        raise UnicodeEncodeError(encoding.codec, text, at, at + 1, "comes back as another character")
    return content
