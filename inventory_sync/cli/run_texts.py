"""Words of runs as people read them: what kind they are, how far they came, and why a row was not written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from inventory_sync.cli.texts import Words
from inventory_sync.engine.explain.words import WAITS
from inventory_sync.engine.reasons import in_japanese

KINDS: Mapping[str, str] = {
    "import": "商品の取り込み",
    "match": "商品の紐付け",
    "reconcile": "在庫数の照合",
    "push": "一括反映",
    "undo": "一括反映の取り消し",
    "publish": "公開設定の反映",
}
"""Kinds of runs, in Japanese."""

STATES: Mapping[str, str] = {
    "running": "実行中",
    "stopped": "停止",
    "done": "完了",
    "failed": "失敗",
    "proposed": "未着手",
    "confirmed": "順番待ち",
    "released": "送信待ち",
    "sent": "応答待ち",
    "skipped": "対象外",
}
"""How far a run or a row of it is, in Japanese."""

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

_PATTERNS = (
    (re.compile(r"the route is (\w+)"), "ルートは {} です"),
    (
        re.compile(
            r"the partner listed (\d+) (?:items|levels) where (\d+) (?:were|are) known: the list is not believed"
        ),
        "取引先の一覧には {1} 件のうち {0} 件しかなかったため、採用しませんでした",
    ),
)
"""Reasons that say more than a word, in Japanese."""


def state(say: Words, of: str) -> str:
    """How far a run or a row of it is."""
    return say.either(STATES.get(of, of), of)


def kind(say: Words, of: str) -> str:
    """What kind of run it is."""
    return say.either(KINDS.get(of, of), of)


def reason(say: Words, of: str, code: str | None = None, problems: Mapping[str, tuple[str, str]] | None = None) -> str:
    """Why a run stands, or a row was not written; what a partner said is told as the problem of that code.

    `problems`: those of partners by their code, each a sentence and a remedy in Japanese.

    >>> reason(Words("ja"), "the route is watching"), reason(Words("en"), "quarantined")
    ('ルートは watching です', 'waits for its quarantine to end')
    """
    if of in WAITS and of:
        waits_ja, waits = WAITS[of]
        return say.either(waits_ja, f"waits for {waits}")
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(of):
            return say.either(sentence.format(*found.groups()), of)
    return say.either(REASONS[of] if of in REASONS else in_japanese(problems or {}, code, of), of)
