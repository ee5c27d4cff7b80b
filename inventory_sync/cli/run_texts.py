"""Words of runs as people read them: what kind they are, how far they came, and why a row was not written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from inventory_sync.cli.texts import Words
from inventory_sync.engine.explain.words import WAITS
from inventory_sync.engine.reasons import reason_in_japanese
from inventory_sync.engine.state_words import ROUTES, RUNS, state_in_japanese

KINDS: Mapping[str, str] = {
    "import": "商品の取り込み",
    "match": "商品の紐付け",
    "reconcile": "在庫数の照合",
    "push": "一括反映",
    "undo": "一括反映の取り消し",
    "publish": "公開設定の反映",
}
"""Kinds of runs, in Japanese."""

REASONS: Mapping[str, str] = {
    "stopped by a person": "人が停止しました",
    "the route was stopped": "ルートを停止しました",
    "the route only watches now": "ルートを見守りに変更しました",
    "the SKU mapping was deleted": "紐付けを削除しました",
    "superseded": "新しい実行に引き継ぎました",
    "changed since the preview": "プレビュー後に変わりました",
    "not of this preview any more": "プレビューの対象ではなくなりました",
}
"""Why a run stands, or a row of it was left out, in Japanese."""

_ROUTE = re.compile(r"the route is (\w+)")
_FEW_LISTED = re.compile(
    r"the partner listed (\d+) (?:items|levels) where (\d+) (?:were|are) known: the list is not believed"
)


def state(say: Words, of: str) -> str:
    """How far a run or a row of it is."""
    return say.either(state_in_japanese(RUNS, of), of)


def kind(say: Words, of: str) -> str:
    """What kind of run it is."""
    return say.either(KINDS.get(of, of), of)


def reason(say: Words, of: str, code: str | None = None, problems: Mapping[str, tuple[str, str]] | None = None) -> str:
    """Why a run stands, or a row was not written; what a partner said is told as the problem of that code.

    `problems`: those of partners by their code, each a sentence and a remedy in Japanese.

    >>> reason(Words("ja"), "the route is watching"), reason(Words("en"), "quarantined")
    ('ルートは見守り中です', 'waits for its quarantine to end')
    """
    if of in WAITS and of:
        waits_ja, waits = WAITS[of]
        return say.either(waits_ja, f"waits for {waits}")
    if found := _ROUTE.fullmatch(of):
        return say.either(f"ルートは{state_in_japanese(ROUTES, found[1])}です", of)
    if found := _FEW_LISTED.fullmatch(of):
        return say.either(f"取引先の一覧には {found[2]} 件のうち {found[1]} 件しかなかったため、採用しませんでした", of)
    return say.either(REASONS[of] if of in REASONS else reason_in_japanese(problems or {}, code, of), of)
