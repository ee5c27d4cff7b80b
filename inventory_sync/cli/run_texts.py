"""Words of runs as people read them: what kind they are, how far they came, and why a row was not written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from inventory_sync.cli.texts import Words
from inventory_sync.engine.explain.words import WAITS
from inventory_sync.engine.state_words import ROUTES, RUNS, in_japanese

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


def state(say: Words, of: str) -> str:
    """How far a run or a row of it is."""
    return say.either(in_japanese(RUNS, of), of)


def kind(say: Words, of: str) -> str:
    """What kind of run it is."""
    return say.either(KINDS.get(of, of), of)


def reason(say: Words, of: str) -> str:
    """Why a run stands, or a row was not written; what a partner said stands as it was said.

    >>> reason(Words("ja"), "the route is watching"), reason(Words("en"), "quarantined")
    ('ルートは見守り中です', 'waits for its quarantine to end')
    """
    if of in WAITS and of:
        waits_ja, waits = WAITS[of]
        return say.either(waits_ja, f"waits for {waits}")
    found = _ROUTE.fullmatch(of)
    return say.either(f"ルートは{in_japanese(ROUTES, found[1])}です" if found else REASONS.get(of, of), of)
