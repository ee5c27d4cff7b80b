"""Stock written by CSV upload: one file for products or one for options, never both, with absolute numbers.

Steps and form fields are those of a shipping service's client (2021): the administrator's ID and password are exchanged
for an address and a key, and the file is posted there. A cell of a row that is left empty stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from inventory_sync.model.ids import OpId
from inventory_sync.systems.makeshop.classic import layouts, problems
from inventory_sync.systems.makeshop.classic.layouts import Encoding
from inventory_sync.systems.makeshop.keys import Item, item_of
from inventory_sync.systems.values import Applied, OpOutcome, PlannedOp, PreparedRequest, Rejected, Split

PATH = "/api/webftp/index.html"
PRODUCT, OPTION = "product", "option"  # the groups of `write_group`
DEST = {PRODUCT: "1", OPTION: "2"}
SOURCE = "1"
FILE_NAME = {PRODUCT: "upload.csv", OPTION: "option.csv"}
API_VERSION = "classic"
QUANTITY_MAX = 999_999_999

REFUSED = "FAILURE"
COLUMNS_DO_NOT_MATCH = "項目数が一致しません"  # www.makeshop.jp/manual/brand_csv_new.html
# Words that a report of failed rows holds; its form is not documented. A row counts as refused only where its codes
# stand in the same line, since nothing says whether the header counts as row 1.
FAILURE_WORDS = (COLUMNS_DO_NOT_MATCH, "エラー", "失敗", "存在しません", "不正", "ERROR", "FAIL", "NG")

# How many rows failed, in a line that sums up.
_COUNT = re.compile(r"(?:失敗|エラー|ERROR|FAIL\w*|NG)\s*[:：]?\s*([0-9]+)\s*(?:件|行|\b)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")


class Impossible(Exception):
    """Ops that one upload cannot express; the message names the item."""


class NotAccepted(Exception):
    """The upload as a whole was refused before any row was looked at (key used up or too old)."""


class WrongColumns(Exception):
    """Rows were refused for their number of columns: that is about the file, and no item is at fault."""


@dataclass(frozen=True, slots=True)
class Access:
    """An address and a key to upload with, for a few minutes."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of the shop's two layouts, as its last accepted files had them."""

    product: tuple[str, ...] = layouts.PRODUCT_COLUMNS
    option: tuple[str, ...] = layouts.OPTION_COLUMNS


def write_group(key: str) -> str:
    """The kind of file that writes an item. Raises Impossible for a key that is none of ours."""
    return OPTION if _item(key).variation is not None else PRODUCT


def prepare(ops: Sequence[PlannedOp], key: str, columns: Columns, encoding: Encoding) -> PreparedRequest:
    """The exact CSV that sets the ops' numbers; the same ops give the same bytes. Holds no secret.

    Raises Impossible for ops of both kinds, an item twice, or what the encoding has no byte for.
    """
    groups = {write_group(op.cell.item) for op in ops}
    if len(groups) != 1:
        raise Impossible(f"{len(groups)} kinds of file for one upload")
    if len({op.cell for op in ops}) != len(ops):
        raise Impossible("an item twice in one upload")
    group = groups.pop()
    header = columns.option if group == OPTION else columns.product
    rows = [_row(op, header) for op in ops]
    try:
        body = layouts.write(header, rows, encoding)
    except UnicodeEncodeError as error:
        raise Impossible(f"{error.object[error.start : error.end]!r} has no byte in {encoding}") from error
    return PreparedRequest("POST", f"{PATH}?dest={DEST[group]}", body, key, API_VERSION)


def access_form(admin_id: str, password: str) -> bytes:
    """The form of the first step. Holds the password: never log it."""
    return urlencode({"id": admin_id, "pw": password}).encode()


def read_access(body: bytes) -> Access | None:
    """Address (line 1) and key (line 2) of an answer to the first step; None for FAILURE, however it is spelt."""
    lines = body.decode("utf-8", "replace").replace("&amp;", "&").split()
    if len(lines) < 2 or not _ADDRESS.fullmatch(lines[0]):
        return None
    return Access(lines[0], lines[1])


def is_refusal(body: bytes) -> bool:
    """Whether an answer is the word that refuses ID and password."""
    return body.strip().upper().startswith(REFUSED.encode())


def multipart(prepared: PreparedRequest, access: Access) -> tuple[str, bytes]:
    """Content type and body of the second step: the stored file to the byte, with the key put around it."""
    boundary = f"inventory-sync-{hashlib.sha256(prepared.body).hexdigest()[:32]}"
    dest = prepared.path.rpartition("=")[2]
    group = OPTION if dest == DEST[OPTION] else PRODUCT
    parts = [_field(boundary, name, value) for name, value in (("key", access.key), ("src", SOURCE), ("dest", dest))]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="upload_file"; filename="{FILE_NAME[group]}"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    body = b"".join(parts) + head + prepared.body + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def read_report(body: bytes, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split | None:
    """What became of each op; Split where rows failed and it is not said which; None where nothing is said at all.

    Raises NotAccepted, WrongColumns.
    """
    text = _decoded(body).strip()
    if not text:
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines[0].upper().startswith(REFUSED):
        raise NotAccepted(lines[0][:80])
    failures = [line for line in lines if _tells_failure(line) and not _COUNT.search(line)]
    counted = sum(int(count) for line in lines for count in _COUNT.findall(line))
    if any(COLUMNS_DO_NOT_MATCH in line for line in failures):
        raise WrongColumns(failures[0][:120])
    if not failures and not counted:
        return {op.op: Applied() for op in ops}
    return _share_out(failures or lines, counted, ops)


def _share_out(failures: Sequence[str], counted: int, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome] | Split:
    """Give every failure to the one op whose codes stand in its line. One that fits none or two, or another number of
    failures than the report counts, splits the batch."""
    outcomes: dict[OpId, OpOutcome] = {op.op: Applied() for op in ops}
    for line in failures:
        found = [op for op in ops if _names(line, _item(op.cell.item))] if len(ops) > 1 else list(ops)
        if len(found) != 1 or (len(ops) > 1 and counted not in (0, len(failures))):
            return Split(problems.ROW_REFUSED.text(line[:120]), problems.ROW_REFUSED.code)
        outcomes[found[0].op] = Rejected(problems.ROW_REFUSED.text(line[:120]), problems.ROW_REFUSED.code)
    return outcomes


def _tells_failure(line: str) -> bool:
    upper = line.upper()
    return any(re.search(rf"\b{word}\b" if word.isascii() else word, upper) for word in FAILURE_WORDS)


def _names(line: str, item: Item) -> bool:
    words = re.split(r"[\s,、:：/「」()（）]+", line)
    return item.product in words and (item.variation is None or item.variation in words)


def _decoded(body: bytes) -> str:
    for codec in ("utf-8", "cp932"):
        try:
            return body.decode(codec)
        except UnicodeDecodeError:
            continue
    return body.decode("euc_jp", "replace")


def _row(op: PlannedOp, header: Sequence[str]) -> list[str]:
    value = op.value
    if value is None or not 0 <= value <= QUANTITY_MAX:
        raise Impossible(f"{op.cell.item}: {value} is no stock number to write")
    item = _item(op.cell.item)
    cells = {
        layouts.KEY_KIND: layouts.BY_SYSTEM_CODE,
        layouts.SYSTEM_CODE: item.product,
        layouts.QUANTITY: str(value),
    }
    if item.variation is not None:
        cells[layouts.OPTION_KEY_KIND] = layouts.BY_OPTION_CODE
        cells[layouts.OPTION_CODE] = item.variation
    lacking = [name for name in cells if name not in header]
    if lacking:
        raise Impossible(f"the shop's file has no column {', '.join(lacking)}")
    return [cells.get(name, "") for name in header]


def _item(key: str) -> Item:
    item = item_of(key)
    if item is None:
        raise Impossible(f"{key!r} is no item of MakeShop")
    return item


def _field(boundary: str, name: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
