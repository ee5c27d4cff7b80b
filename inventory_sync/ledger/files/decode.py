"""Bytes to text in the declared encoding, strictly; and the byte that a character of the text stands at."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from inventory_sync.ledger.files.profile import Encoding

_CODECS = {
    Encoding.UTF_8: "utf-8",
    Encoding.UTF_8_SIG: "utf-8-sig",
    Encoding.CP932: "cp932",
    Encoding.EUC_JP: "euc_jp",
    Encoding.UTF_16: "utf-16",
    Encoding.ISO_2022_JP: "iso2022_jp",
}
_UTF_8_MARK = codecs.BOM_UTF8
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Single bytes that are unassigned in code page 932 and that Python's codec lets through as these characters.
_CP932_UNASSIGNED = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_ESCAPES = re.compile(rb"\x1b(?:\([BJI]|\$[@B]|\$\([A-D])")
_ASCII_ESCAPE = b"\x1b(B"
_SHOWN_BYTES = 4
_CHUNK = 4096


@dataclass(eq=False)
class Undecodable(Exception):
    """A byte that the declared encoding does not have. `before` is the text up to it."""

    offset: int
    before: str
    shown: str


@dataclass(eq=False)
class WrongMark(Exception):
    """The file's byte order mark contradicts the declared encoding. `instead` is what would fit."""

    found_en: str
    found_ja: str
    instead: str


def decode(data: bytes, encoding: Encoding) -> str:
    """The text without its byte order mark. Raises Undecodable or WrongMark.

    >>> decode(b"\\x81\\x60", Encoding.CP932) == "\\uff5e"
    True
    """
    _check_mark(data, encoding)
    try:
        text = data.decode(_CODECS[encoding])
    except UnicodeDecodeError as error:
        raise _undecodable(data, encoding, error.start) from None
    if encoding is Encoding.CP932:
        found = _CP932_UNASSIGNED.search(text)
        if found is not None:
            raise _undecodable(data, encoding, byte_of(data, encoding, found.start()))
    if encoding is Encoding.ISO_2022_JP:
        escapes = list(_ESCAPES.finditer(data))
        if escapes and escapes[-1].group() != _ASCII_ESCAPE:
            raise _undecodable(data, encoding, escapes[-1].start())
    return text


def byte_of(data: bytes, encoding: Encoding, character: int) -> int:
    """How many bytes of a decodable file come before this character of its text."""
    return bytes_of(data, encoding, [character])[character]


def bytes_of(data: bytes, encoding: Encoding, characters: Iterable[int]) -> dict[int, int]:
    """As `byte_of`, for many characters in one pass."""
    wanted = deque(sorted(set(characters)))
    found: dict[int, int] = {}
    decoder = codecs.getincrementaldecoder(_CODECS[encoding])(errors="replace")
    made = 0
    for start in range(0, len(data), _CHUNK):
        if not wanted:
            break
        chunk = data[start : start + _CHUNK]
        before = decoder.getstate()
        count = len(decoder.decode(chunk))
        if made + count >= wanted[0]:
            decoder.setstate(before)
            for position in range(len(chunk)):
                while wanted and made >= wanted[0]:
                    found[wanted.popleft()] = start + position
                made += len(decoder.decode(chunk[position : position + 1]))
        else:
            made += count
    return found | dict.fromkeys(wanted, len(data))


def _check_mark(data: bytes, encoding: Encoding) -> None:
    has_utf_8, has_utf_16 = data.startswith(_UTF_8_MARK), data.startswith(_UTF_16_MARKS)
    if encoding is Encoding.UTF_16 and data and not has_utf_16:
        raise WrongMark(
            "The file has no byte order mark", "ファイルにバイト順マークがありません", "the encoding it really has"
        )
    if encoding is Encoding.UTF_8 and has_utf_8:
        raise WrongMark(
            "The file begins with a byte order mark", "ファイルがバイト順マークで始まっています", Encoding.UTF_8_SIG
        )
    if encoding in (Encoding.UTF_8, Encoding.UTF_8_SIG) and has_utf_16:
        raise WrongMark("The file is UTF-16", "ファイルはUTF-16です", Encoding.UTF_16)
    if encoding not in (Encoding.UTF_8, Encoding.UTF_8_SIG, Encoding.UTF_16) and has_utf_8:
        raise WrongMark("The file is UTF-8", "ファイルはUTF-8です", Encoding.UTF_8_SIG)


def _undecodable(data: bytes, encoding: Encoding, offset: int) -> Undecodable:
    shown = " ".join(f"{byte:02X}" for byte in data[offset : offset + _SHOWN_BYTES])
    return Undecodable(offset, data[:offset].decode(_CODECS[encoding], errors="ignore"), shown)
