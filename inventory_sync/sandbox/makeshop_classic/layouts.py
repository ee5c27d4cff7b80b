"""The columns of MakeShop's two bulk files as they were in 2021, and files made of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

FileEncoding = Literal["shift_jis", "utf-8", "utf-8-sig"]

_PRODUCT = (
    "商品特定コード指定,更新時間フラグ,システム商品コード,独自商品コード,カテゴリー識別コード,カテゴリーパス,"
    "商品名,重量,販売価格,定価,ポイント,仕入価格,製造元,原産地,原産地表示フラグ,数量,数量表示フラグ,"
    "最小注文限度数,最大注文限度数,陳列位置,送料個別設定,掲載開始日指定フラグ,掲載開始日,掲載終了日指定フラグ,"
    "掲載終了日,掲載期間外表示可否,割引使用フラグ,割引率,割引期間,商品グループ,商品検索語,商品別特殊表示,"
    "オプション１名称,オプション２名称,オプショングループ,拡大画像名,普通画像名,縮小画像名,追加商品画像1,"
    "画像説明文1,追加商品画像2,画像説明文2,追加商品画像3,画像説明文3,レイアウト指定,PC用メイン商品説明文,"
    "JANコード,商品表示可否,商品状態フラグ,データ用商品名,データ用詳細内容,オプションの表示形式,ISBNコード,"
    "ブランド名,MPN(メーカー型番),Googleショッピングカテゴリー,性別,年齢層,色,サイズ,素材,柄,商品グループID,"
    "アドワーズ用グループ,アドワーズ用ラベル,商品ページURL,商品カテゴリー用商品説明文,"
    "商品カテゴリー用商品説明文表示可否,備考欄表示テキスト指定,スマホ商品説明1,スマホ商品説明2,再入荷お知らせ,"
    "決済グループ,PC用追加説明文,名入れグループ,消費税率,軽減税率対象,ブラウザータイトル,メタタグ：Description"
)
_OPTION = (
    "商品特定コード指定,オプション特定コード指定,システム商品コード,独自商品コード,商品名,商品カテゴリーパス,"
    "オプション独自コード,オプション1項目,オプション2項目,販売価格,数量,JANコード"
)
PRODUCT_COLUMNS: tuple[str, ...] = tuple(_PRODUCT.split(","))
OPTION_COLUMNS: tuple[str, ...] = tuple(_OPTION.split(","))


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file as the shop's person downloads it."""

    name: str
    content: bytes


def compose(
    name: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    encoding: FileEncoding,
    *,
    guarded: Sequence[str] = (),
) -> ExportedFile:
    """A file with a header; columns in `guarded` are written as `="…"`, as for a spreadsheet."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(column, row.get(column, ""), guarded) for column in columns])
    text = buffer.getvalue()
    if encoding == "shift_jis":  # the shop's Shift_JIS has one tilde, and shows it as U+FF5E
        return ExportedFile(name, text.replace("\u301c", "\uff5e").encode("cp932"))
    return ExportedFile(name, text.encode(encoding))


def _cell(column: str, value: str, guarded: Sequence[str]) -> str:
    return f'="{value}"' if value and column in guarded else value


def split(content: bytes) -> list[list[str]]:
    """The rows of an uploaded file, in whichever of the two encodings it can be read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp932", "replace")
    return list(csv.reader(io.StringIO(text, newline="")))
