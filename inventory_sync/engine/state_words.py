"""Japanese words for the states of routes, connections and runs: the only place of them, for messages and tables.

The codes are what JSON, the configuration file and the English texts say.
"""

from __future__ import annotations

from collections.abc import Mapping

ROUTES: Mapping[str, str] = {
    "draft": "準備中",
    "located": "ロケーション紐付け済み",
    "matched": "商品紐付け済み",
    "stopped": "停止中",
    "watching": "見守り中",
    "running": "稼働中",
    "blocked": "安全のため停止中",
}
"""States and stages of a route."""

STOPPED_BY: Mapping[str, str] = {"person": "人が停止", "system": "自動で停止"}
"""Who stopped a route."""

CONNECTIONS: Mapping[str, str] = {
    "created": "作成済み",
    "awaiting_approval": "承認待ち",
    "linked": "接続済み",
    "needs_action": "対応が必要",
    "broken": "接続の異常",
    "unlinked": "解除済み",
}
"""States of a connection."""

RUNS: Mapping[str, str] = {
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
"""How far a run or a row of it is."""


def state_in_japanese(words: Mapping[str, str], code: str) -> str:
    """The word for a code; a code that nobody knows as it is.

    >>> state_in_japanese(ROUTES, "stopped"), state_in_japanese(ROUTES, "dreaming")
    ('停止中', 'dreaming')
    """
    return words.get(code, code)
