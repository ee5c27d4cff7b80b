"""What a system's settings model has against a value, in English as the library says it, and in Japanese by its kind.

The Japanese is made from the library's stable kinds of errors and the figures it gives with them, never from its words.
A kind without a sentence here gets one with what the library expected, in its words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from inventory_sync.systems.errors import WrongValue

_VALUES = re.compile(r"'[^']*'|[0-9]+")

_NUMBER = "ここには数値を書きます(半角数字)"
_WHOLE = "ここには整数を書きます(半角数字だけ)"
_TEXT = "ここには文字列を一つ書きます"
_GROUP = "ここには `キー: 値` の行のまとまりを書きます"
_LIST = "ここには一覧を書きます([値1, 値2] の形)"
_YES_NO = "ここには true か false を書きます"

JAPANESE: Mapping[str, str] = {
    "missing": "必要な値がありません",
    "extra_forbidden": "このキーはここでは使えません",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": _TEXT,
    "string_too_short": "{min_length} 文字以上で書いてください",
    "string_too_long": "{max_length} 文字以内で書いてください",
    "string_pattern_mismatch": "使えない文字があるか、長さが違います(使える形: {pattern})",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": "ここには有限の数値を書きます(半角数字)",
    "multiple_of": "{multiple_of} の倍数を書いてください",
    "greater_than": "{gt} より大きい数値を書いてください",
    "greater_than_equal": "{ge} 以上の数値を書いてください",
    "less_than": "{lt} より小さい数値を書いてください",
    "less_than_equal": "{le} 以下の数値を書いてください",
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "literal_error": "次のいずれかを書いてください: {expected}",
    "enum": "次のいずれかを書いてください: {expected}",
    "dict_type": _GROUP,
    "mapping_type": _GROUP,
    "model_type": _GROUP,
    "model_attributes_type": _GROUP,
    "dataclass_type": _GROUP,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "too_short": "{min_length} 個以上の値を書いてください",
    "too_long": "値は {max_length} 個以内にしてください",
    "url_type": "URL を書いてください",
    "url_parsing": "URL として読み取れません。https:// から始まるアドレスを書いてください",
    "url_scheme": "次のいずれかで始まる URL を書いてください: {expected_schemes}",
}
"""What each kind of error of the library means, with the figures that it gives in braces."""


def words_of(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong, in English and Japanese, both without a full stop. No value of the file is in either, unless the
    system's own words hold it.

    >>> words_of({"type": "less_than_equal", "loc": (), "msg": "Input should be …", "input": 3, "ctx": {"le": 2}})[1]
    '2 以下の数値を書いてください'
    """
    said = error["msg"].removeprefix("Value error, ").rstrip(".")
    english = said[:1].lower() + said[1:]
    return english, _japanese(error, english).rstrip("。")


def _japanese(error: ErrorDetails, english: str) -> str:
    context: dict[str, Any] = dict(error.get("ctx", {}))
    raised = context.get("error")
    if isinstance(raised, WrongValue):
        return raised.japanese
    if error["type"] in ("value_error", "assertion_error"):
        return f"この値は使えません({english})"  # another author's system, whose reason is there in its own words only
    pattern = JAPANESE.get(error["type"])
    if pattern is None:
        return _unknown(english)
    if "expected" in context:
        words = _VALUES.findall(str(context["expected"]))
        context["expected"] = "、".join(word.strip("'") for word in words) or context["expected"]
    for key, value in context.items():
        if isinstance(value, float) and value.is_integer():
            context[key] = int(value)
    try:
        return pattern.format(**context)
    except KeyError:
        return _unknown(english)


def _unknown(expected: str) -> str:
    return f"この値は、この設定が受け付ける形ではありません({expected})"
