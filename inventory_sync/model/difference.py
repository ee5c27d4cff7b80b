"""The difference between two codes in words, in English and Japanese, with code points in sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inventory_sync.model.folding import BLANKS, DASHES, DifferenceKind, fold, scientific_key

_SHOWN_CHARACTERS = 80
_PICTURES = {" ": "␠", "\t": "␉", "\n": "␊", "\r": "␍"}
_BLANK_NAMES = {
    " ": ("a blank", "空白"),
    "\u00a0": ("a no-break space", "ノーブレークスペース"),
    "\u3000": ("an ideographic space", "全角空白"),
    "\t": ("a tab", "タブ"),
    "\n": ("a line break", "改行"),
    "\r": ("a line break", "改行"),
    "\u200b": ("a zero-width space", "ゼロ幅スペース"),
    "\ufeff": ("a byte order mark", "バイト順マーク (BOM)"),
}
_ANY_BLANK = ("an invisible character", "見えない文字")


@dataclass(frozen=True, slots=True)
class Difference:
    """How two codes differ: every kind that is needed to explain it, and a sentence for each in both languages."""

    kinds: tuple[DifferenceKind, ...]
    explanation_en: str
    explanation_ja: str


@dataclass(frozen=True, slots=True)
class _Two:
    """Two codes, and both with every other difference undone, so that only the kind in question tells them apart."""

    one: str
    other: str
    folded_one: str
    folded_other: str


_Phrase = Callable[[_Two], tuple[str, str]]


def explain(one: str, other: str, kinds: Sequence[DifferenceKind]) -> Difference:
    """Spell out by which of `kinds` two codes differ. Both codes are named as `visible` writes them.

    >>> explain("007", "7", (DifferenceKind.LEADING_ZERO,)).explanation_en
    '"007" begins with 2 zeros (U+0030), "7" with none; a spreadsheet drops leading zeros.'
    """
    sentences = []
    for kind in kinds:
        rest = frozenset(kinds) - {kind}
        sentences.append(_PHRASES[kind](_Two(one, other, fold(one, rest), fold(other, rest))))
    return Difference(
        tuple(kinds),
        " ".join(english + "." for english, _ in sentences),
        "".join(japanese + "。" for _, japanese in sentences),
    )


def visible(value: str) -> str:
    """`value` with every character that leaves no mark made visible; cut after 80 characters.

    >>> visible("A B\\u3000")
    'A␠B⟨U+3000⟩'
    """
    cut = value[:_SHOWN_CHARACTERS]
    shown = "".join(_PICTURES.get(each) or (f"⟨{_point(each)}⟩" if each in BLANKS else each) for each in cut)
    return shown + "…" if len(value) > len(cut) else shown


def _point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _points(text: str) -> str:
    return " ".join(map(_point, text))


def _blank(two: _Two) -> tuple[str, str]:
    described = [(value, _blank_parts(value)) for value in (two.one, two.other)]
    english, japanese = [], []
    for value, parts in described:
        if parts:
            english.append(f'"{visible(value)}" has {" and ".join(part[0] for part in parts)}')
            japanese.append(f"「{visible(value)}」には{'と'.join(part[1] for part in parts)}があります")
    for value, parts in described:
        if not parts:
            english.append(f'"{visible(value)}" has none')
            japanese.append(f"「{visible(value)}」にはありません")
    return "; ".join(english), "。".join(japanese)


def _blank_parts(value: str) -> list[tuple[str, str]]:
    """The blanks of a code by place and character, at most four of them."""
    start = len(value) - len(value.lstrip("".join(BLANKS)))
    end = len(value.rstrip("".join(BLANKS)))
    places = (
        (value[:start], "at the start", "先頭"),
        ("".join(each for each in value[start:end] if each in BLANKS), "inside", "途中"),
        (value[max(start, end) :], "at the end", "末尾"),
    )
    parts = []
    for blanks, where_en, where_ja in places:
        for character in dict.fromkeys(blanks):
            name_en, name_ja = _BLANK_NAMES.get(character, _ANY_BLANK)
            count = blanks.count(character)
            times_en, times_ja = (f" {count} times", f"{count}個の") if count > 1 else ("", "")
            parts.append(
                (
                    f"{name_en} ({_point(character)}) {where_en}{times_en}",
                    f"{where_ja}に{times_ja}{name_ja}({_point(character)})",
                )
            )
    return parts[:4]


def _characters(what_en: str, what_ja: str) -> _Phrase:
    def phrase(two: _Two) -> tuple[str, str]:
        one, other = visible(two.one), visible(two.other)
        here, there = _first_differing(two.folded_one, two.folded_other)
        return (
            f'"{one}" and "{other}" differ in {what_en}: '
            f'"{here}" ({_points(here)}) against "{there}" ({_points(there)})',
            f"「{one}」と「{other}」は{what_ja}が違います: 「{here}」({_points(here)})と「{there}」({_points(there)})",
        )

    return phrase


def _first_differing(one: str, other: str) -> tuple[str, str]:
    """The first place at which two texts differ, with any mark that belongs to the character there."""
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    if at and at == min(len(one), len(other)):
        at -= 1
    ends = [at + 1 + sum(1 for mark in text[at + 1 : at + 2] if mark in _SOUND_MARKS) for text in (one, other)]
    return one[at : ends[0]], other[at : ends[1]]


_SOUND_MARKS = "\uff9e\uff9f\u3099\u309a"


def _hyphen(two: _Two) -> tuple[str, str]:
    one, other = visible(two.one), visible(two.other)
    here, there = ([each for each in folded if each in DASHES] for folded in (two.folded_one, two.folded_other))
    points = " ".join(_point(each) for each in dict.fromkeys(here + there))
    if len(here) == len(there):
        return (
            f'"{one}" and "{other}" have hyphens ({points}) at different places',
            f"「{one}」と「{other}」ではハイフン({points})の位置が違います",
        )
    return (
        f'"{one}" has {_count(len(here), "hyphen")}, "{other}" has {len(there) or "none"} ({points})',
        f"ハイフン({points})は「{one}」では{len(here)}個、「{other}」では{len(there)}個です",
    )


def _leading_zero(two: _Two) -> tuple[str, str]:
    one, other = visible(two.one), visible(two.other)
    here, there = (len(folded) - len(folded.lstrip("0")) for folded in (two.folded_one, two.folded_other))
    return (
        f'"{one}" begins with {_count(here, "zero")} (U+0030), "{other}" with {there or "none"};'
        " a spreadsheet drops leading zeros",
        f"先頭のゼロ(U+0030)は「{one}」では{here}個、「{other}」では{there}個です (表計算ソフトは先頭のゼロを消します)",
    )


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _decimal(two: _Two) -> tuple[str, str]:
    ends = [folded.rpartition(".")[2] if "." in folded else "" for folded in (two.folded_one, two.folded_other)]
    english, japanese = [], []
    for value, end in zip((visible(two.one), visible(two.other)), ends, strict=True):
        english.append(f'"{value}" ends with .{end} ({_points("." + end)})' if end else f'"{value}" does not')
        japanese.append(f"「{value}」は.{end}({_points('.' + end)})で終わります" if end else f"「{value}」は違います")
    if not ends[0]:
        english.reverse()
        japanese.reverse()
    return (
        "; ".join(english) + "; a spreadsheet adds this to numbers",
        "。".join(japanese) + " (表計算ソフトが数字に付けるものです)",
    )


def _one_sided(has: Callable[[str], bool], what_en: str, what_ja: str) -> _Phrase:
    def phrase(two: _Two) -> tuple[str, str]:
        with_it, without = (two.one, two.other) if has(two.folded_one) else (two.other, two.one)
        return (
            f'"{visible(with_it)}" {what_en}; "{visible(without)}" does not',
            f"「{visible(with_it)}」は{what_ja}。「{visible(without)}」は違います",
        )

    return phrase


def _scientific(two: _Two) -> tuple[str, str]:
    short, whole = two.one, two.other
    if scientific_key(fold(short)) is None:
        short, whole = whole, short
    return (
        f'"{visible(short)}" is how a spreadsheet shows a long number; its last digits are lost.'
        f' "{visible(whole)}" fits it, and other codes may fit it too',
        f"「{visible(short)}」は表計算ソフトが長い数字を指数で表したもので、下の桁は失われています。"
        f"「{visible(whole)}」が当てはまりますが、ほかのコードも当てはまることがあります",
    )


_PHRASES: dict[DifferenceKind, _Phrase] = {
    DifferenceKind.BLANK: _blank,
    DifferenceKind.COMPOSITION: _characters("how a mark is joined to its letter", "濁点などの合成のしかた"),
    DifferenceKind.WIDTH: _characters("width (full or half)", "全角・半角"),
    DifferenceKind.DASH: _characters("the kind of dash", "横棒の種類"),
    DifferenceKind.WRAPPER: _one_sided(
        lambda folded: folded.startswith('="'),
        'is wrapped in =" and " (U+003D U+0022 … U+0022), as a spreadsheet is told to keep text',
        '="と"(U+003D U+0022 … U+0022)で囲まれています(表計算ソフトに文字として扱わせる書き方)',
    ),
    DifferenceKind.APOSTROPHE: _one_sided(
        lambda folded: folded.startswith("'"),
        "begins with an apostrophe (U+0027), as a spreadsheet is told to keep text",
        "アポストロフィ(U+0027)で始まります(表計算ソフトに文字として扱わせる書き方)",
    ),
    DifferenceKind.CASE: _characters("case", "大文字・小文字"),
    DifferenceKind.DECIMAL: _decimal,
    DifferenceKind.HYPHEN: _hyphen,
    DifferenceKind.LEADING_ZERO: _leading_zero,
    DifferenceKind.SCIENTIFIC: _scientific,
}
