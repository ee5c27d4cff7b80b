"""Files that go in and out: what an uploaded CSV does to the stock, and the two exports of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.sandbox.makeshop.records import Product, Variation
from inventory_sync.sandbox.makeshop.switches import JST
from inventory_sync.sandbox.makeshop.world import MakeShopWorld
from inventory_sync.sandbox.makeshop_classic.layouts import ExportedFile, FileEncoding, compose, split
from inventory_sync.sandbox.makeshop_classic.switches import ClassicSwitches

PRODUCT, OPTION = "1", "2"  # `dest`

WRONG_COLUMNS = "項目数が一致しません"
NO_PRODUCT = "該当する商品が存在しません"
NO_OPTION = "該当するオプションが存在しません"
HAS_OPTIONS = "オプションの在庫が設定されている商品のためエラーです"
BAD_NUMBER = "数量の値が不正です"

GUARDED = ("独自商品コード", "オプション独自コード", "JANコード")


class RowRefused(Exception):
    """A row that is not taken, in the words of the report."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one good row does: the number an item gets; None leaves it as it is."""

    item: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, looked through: what its rows do, and the report."""

    changes: tuple[Change, ...]
    report: bytes


class Registrar:
    """Reads uploads and makes exports for one shop, in the columns it has now."""

    def __init__(self, world: MakeShopWorld, product_columns: Sequence[str], option_columns: Sequence[str]) -> None:
        self._world = world
        self.columns = {PRODUCT: tuple(product_columns), OPTION: tuple(option_columns)}

    # -- in ---

    def look_through(self, content: bytes, dest: str, switches: ClassicSwitches) -> Upload:
        """What a file will do. Rows are taken one by one; a bad one does not harm the others."""
        rows = split(content)
        if rows and rows[0][:1] == [self.columns[dest][0]]:
            rows, first = rows[1:], 2
        else:
            first = 1
        first -= switches.first_row == "data" and first == 2
        changes, failures = [], []
        for number, row in enumerate(rows, first):
            try:
                change = self._row(row, dest, switches)
            except RowRefused as refused:
                failures.append(self._told(number, row, dest, str(refused), switches))
            else:
                changes.append(change)
        lines = [f"成功 {len(changes)}件 失敗 {len(failures)}件", *failures]
        if switches.upload_report == "silent":
            lines = ["OK"]
        return Upload(tuple(change for change in changes if change is not None), "\n".join(lines).encode("cp932"))

    def _row(self, row: Sequence[str], dest: str, switches: ClassicSwitches) -> Change | None:
        columns = self.columns[dest]
        if len(row) != len(columns):
            raise RowRefused(WRONG_COLUMNS)
        values = dict(zip(columns, row, strict=True))
        product = self._product(values)
        if product is None:
            if switches.unknown_product == "ignored":
                return None
            raise RowRefused(NO_PRODUCT)
        if dest == OPTION:
            item = self._option(product, values)
        elif product.variations:
            raise RowRefused(HAS_OPTIONS)
        else:
            item = product.cell.item
        return Change(item, _number(values["数量"]))

    def _product(self, values: dict[str, str]) -> Product | None:
        if values["商品特定コード指定"] == "0":
            return self._world.products.get(values["システム商品コード"])
        found = self._world.by_code.get(values["独自商品コード"], [])
        return self._world.products[found[0]] if found else None

    def _option(self, product: Product, values: dict[str, str]) -> str:
        by_items = values["オプション特定コード指定"] == "1"
        wanted = (values["オプション1項目"], values["オプション2項目"]) if by_items else values["オプション独自コード"]
        for each in product.variations:
            if wanted == ((each.first, each.second) if by_items else each.code):
                return each.cell.item
        raise RowRefused(NO_OPTION)

    def _told(self, number: int, row: Sequence[str], dest: str, words: str, switches: ClassicSwitches) -> str:
        line = f"{number}行目"
        if switches.upload_report == "codes":
            values = dict(zip(self.columns[dest], row, strict=False))
            codes = [values.get(name, "") for name in ("システム商品コード", "オプション独自コード")]
            line = " ".join([line, *filter(None, codes)])
        return f"{line} {words}"

    # -- out ---

    def export_products(self, now: datetime, encoding: FileEncoding, *, guarded: bool) -> ExportedFile:
        """商品一括登録 as a download: every product, the parents of options included."""
        rows = [self._product_row(each) for each in self._world.products.values()]
        return self._file("upload", PRODUCT, rows, now, encoding, guarded=guarded)

    def export_options(self, now: datetime, encoding: FileEncoding, *, guarded: bool) -> ExportedFile:
        """オプション一括登録 as a download: every option."""
        rows = [
            self._option_row(product, each) for product in self._world.products.values() for each in product.variations
        ]
        return self._file("option", OPTION, rows, now, encoding, guarded=guarded)

    def _file(
        self, kind: str, dest: str, rows: list[dict[str, str]], now: datetime, encoding: FileEncoding, *, guarded: bool
    ) -> ExportedFile:
        name = f"{kind}_{now.astimezone(JST):%Y%m%d%H%M%S}.csv"
        return compose(name, self.columns[dest], rows, encoding, guarded=GUARDED if guarded else ())

    def _product_row(self, product: Product) -> dict[str, str]:
        return {
            "商品特定コード指定": "0",
            "システム商品コード": product.system,
            "独自商品コード": product.code,
            "商品名": product.name,
            "販売価格": str(product.price),
            "数量": _shown(product.cell.shown),
            "JANコード": product.jan,
            "商品表示可否": "Y" if product.displayed else "N",
            "オプション１名称": product.axes[0] if product.variations else "",
        }

    def _option_row(self, product: Product, option: Variation) -> dict[str, str]:
        return {
            "商品特定コード指定": "0",
            "オプション特定コード指定": "0",
            "システム商品コード": product.system,
            "独自商品コード": product.code,
            "商品名": product.name,
            "オプション独自コード": option.code,
            "オプション1項目": option.first,
            "オプション2項目": option.second,
            "販売価格": str(product.price),
            "数量": _shown(option.cell.shown),
            "JANコード": option.jan,
        }


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)


def _number(text: str) -> int | None:
    """The number of a row; None where it is empty, which leaves what there is."""
    if text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RowRefused(BAD_NUMBER)
    return int(text)
