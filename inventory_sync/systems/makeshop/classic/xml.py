"""Order answers as XML: decoded as they declare themselves, and parsed with every kind of entity trick refused."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from inventory_sync.systems.makeshop.classic.layouts import WINDOWS_VARIANTS

MAX_BYTES = 20 * 1024 * 1024  # 100 orders with every line of their address are far below
MAX_DEPTH = 32

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "euc-jp": "euc_jp",
    "eucjp": "euc_jp",
    "eucjp-win": "euc_jp",
    "x-euc-jp": "euc_jp",
    "cp51932": "euc_jp",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "sjis-win": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
}
_AS_WINDOWS = str.maketrans(WINDOWS_VARIANTS)


class NotXml(Exception):
    """The answer is no XML that is safe to read; the message says why and quotes nothing of it."""


def parse(body: bytes, content_type: str = "") -> Element:
    """The root of an XML answer. Raises NotXml for anything else, a document type or an entity declaration included."""
    if len(body) > MAX_BYTES:
        raise NotXml(f"{len(body)} bytes are more than any answer has")
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise NotXml("elements nested too deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> int:
        raise NotXml("a document type or entity is declared")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(decode(body, content_type), True)
        return builder.close()
    except expat.ExpatError as error:
        raise NotXml(f"not well-formed at line {error.lineno}") from error


def decode(body: bytes, content_type: str = "") -> str:
    """The text of an answer, in the encoding it declares (UTF-8 unless it says otherwise).

    A byte that has no character becomes U+FFFD: names of customers hold such bytes, and one of them must not hide an
    order. EUC-JP is read with Windows' table, as the shop's Shift_JIS files are, so that a code with a tilde in it is
    the same text here and there. Raises NotXml for an encoding that is none of Japan's.
    """
    declared = _DECLARED.search(body[:400])
    charset = _CHARSET.search(content_type)
    name = declared[1].decode("ascii") if declared else charset[1] if charset else "utf-8"
    codec = _CODECS.get(name.lower())
    if codec is None:
        raise NotXml(f"encoding {name}")
    text = body.removeprefix(b"\xef\xbb\xbf").decode(codec, "replace")
    return text.translate(_AS_WINDOWS) if codec == "euc_jp" else text
