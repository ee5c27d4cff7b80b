"""Why a write has not taken effect: in our own words where no partner said it, and in Japanese whoever said it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """What we find ourselves about a write of ours. It is stored as its English words, without a code."""

    UNMENTIONED = "the partner's answer did not mention it"
    NEITHER_FITS = "neither answer fits what the partner shows"
    LEVEL_SAYS_NOT = "the level says that it was not carried out"
    NEVER_RECORDED = "the answer was never recorded"
    OWNER_CHANGED = "owner changed"
    CALLBACK_AWAY = "its callback stayed away"
    NO_TRACE = "no trace of it after the callback"
    NO_TRACE_AMONG_BATCH = "no trace of it among its batch"
    KEY_TOO_OLD = "the key is older than the partner remembers keys"
    NO_EVIDENCE = "this system offers no evidence"


IN_JAPANESE: Mapping[str, str] = {
    Reason.UNMENTIONED: "取引先の応答にこの変更の結果がありませんでした",
    Reason.NEITHER_FITS: "取引先の在庫数からは、反映されたかどうかを判断できません",
    Reason.LEVEL_SAYS_NOT: "取引先の在庫数から、反映されていないことを確認しました",
    Reason.NEVER_RECORDED: "応答を記録する前に処理が中断しました",
    Reason.OWNER_CHANGED: "担当するプロセスが替わりました",
    Reason.CALLBACK_AWAY: "完了のコールバックが届きませんでした",
    Reason.NO_TRACE: "コールバックの後も、取引先の履歴に見つかりません",
    Reason.NO_TRACE_AMONG_BATCH: "同時に送ったほかの変更は見つかりましたが、この変更は見つかりません",
    Reason.KEY_TOO_OLD: "取引先が冪等キーを覚えている期間を過ぎました",
    Reason.NO_EVIDENCE: "この取引先では、反映されたかどうかを確認する手段がありません",
}
"""Our own reasons in Japanese, by their English words."""


def reason_in_japanese(problems: Mapping[str, tuple[str, str]], code: str | None, text: str) -> str:
    """A stored English reason in Japanese: the sentence of its problem, with what the English text adds to its own
    sentence behind a colon (a status, the partner's own words) in brackets.

    `problems`: partners' problems by their code, each a sentence and a remedy in Japanese. A text that has no code, or
    one that nobody knows, stands as it was stored.

    >>> reason_in_japanese({"IS-1": ("拒否されました", "")}, "IS-1", "It was refused: HTTP 422: no such store")
    '拒否されました(HTTP 422: no such store)'
    >>> reason_in_japanese({"IS-1": ("拒否されました。", "")}, "IS-1", "It was refused")
    '拒否されました。'
    >>> reason_in_japanese({}, None, "owner changed")
    '担当するプロセスが替わりました'
    """
    told = problems.get(code or "")
    if told is None:
        return IN_JAPANESE.get(text, text)
    sentence, particulars = told[0], text.partition(": ")[2]
    if not particulars:
        return sentence
    plain = sentence.removesuffix("。")
    return f"{plain}({particulars})" + sentence[len(plain) :]
