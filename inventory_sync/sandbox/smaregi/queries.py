"""Query parameters of the list calls: checked as the reference states them, refused with 400 where they break it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.smaregi.records import JsonRow, number_of, second
from inventory_sync.sandbox.smaregi.replies import Problem, answer
from inventory_sync.sandbox.smaregi.switches import PAGE_DEFAULT, PAGE_MAX, WINDOW_MAX, SmaregiSwitches
from inventory_sync.sandbox.smaregi.tables import Sort

T = TypeVar("T")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)
_WHOLE_TIME = (0, 2**62)
_COMMON = ("fields", "sort", "limit", "page")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one list call. Every reader raises Problem (400) on a value of the wrong form."""

    request: Request
    switches: SmaregiSwitches
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request, switches: SmaregiSwitches, known: Collection[str]) -> Query:
        """Read a query string in which the parameters `known`, and those of every list, may occur."""
        values = dict(parse_qsl(request.query, keep_blank_values=True))
        for name in values:
            if name not in known and name not in _COMMON and switches.unknown_query == "refused":
                raise Problem(400, f"クエリパラメータ[{name}]は利用できません", rule="unknown_query")
        return cls(request, switches, values)

    def text(self, name: str) -> str | None:
        """A parameter as it was sent."""
        return self.values.get(name)

    def number(self, name: str) -> int | None:
        """A parameter that is an id."""
        value = self.values.get(name)
        if value is None:
            return None
        number = number_of(value)
        if number is None:
            raise Problem(400, f"[{name}]は整数である必要があります")
        return number

    def day(self, name: str) -> date | None:
        """A parameter that is a date (YYYY-MM-DD)."""
        value = self.values.get(name)
        if value is None:
            return None
        try:
            if len(value) != 10:
                raise ValueError(value)
            return date.fromisoformat(value)
        except ValueError:
            raise Problem(400, f"[{name}]の日付の形式が正しくありません") from None

    def window(self) -> tuple[int, int] | None:
        """The span of update times asked for, in Unix seconds, both ends included; at most 31 days."""
        first = self._time("upd_date_time-from")
        last = self._time("upd_date_time-to")
        if first is None and last is None:
            return None
        if first is None or last is None:
            if not self.switches.half_open_window:
                raise Problem(400, "更新日時のFromとToは両方指定する必要があります", rule="window")
            return (_WHOLE_TIME[0] if first is None else first, _WHOLE_TIME[1] if last is None else last)
        if last - first > WINDOW_MAX.total_seconds():
            raise Problem(400, "更新日時の期間は31日以内である必要があります", rule="window")
        if last < first:
            raise Problem(400, "更新日時のFromはTo以前である必要があります")
        return first, last

    def _time(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        try:
            if not _TIME.fullmatch(value):
                raise ValueError(value)
            return second(datetime.fromisoformat(value))
        except ValueError:
            raise Problem(400, f"[{name}]の日時の形式が正しくありません") from None

    def sort(self, allowed: Collection[str]) -> Sort:
        """The order asked for: fields, each ascending unless `:desc` follows."""
        wanted: list[tuple[str, bool]] = []
        for part in filter(None, self.values.get("sort", "").split(",")):
            name, _, direction = part.partition(":")
            if name not in allowed or direction not in ("", "asc", "desc"):
                raise Problem(400, f"[sort]に[{part}]は指定できません")
            wanted.append((name, direction == "desc"))
        return tuple(wanted)

    def page(self, found: Sequence[T]) -> tuple[Sequence[T], bool]:
        """The page of `found` that was asked for, and whether another follows."""
        limit, number = self._count("limit", PAGE_DEFAULT), self._count("page", 1)
        if limit > PAGE_MAX:
            raise Problem(400, "[limit]は1000以下である必要があります", rule="page_size")
        return found[(number - 1) * limit : number * limit], len(found) > number * limit

    def _count(self, name: str, default: int) -> int:
        value = self.number(name)
        if value is None:
            return default
        if value < 1:
            raise Problem(400, f"[{name}]は1以上である必要があります")
        return value

    def shape(self, rows: list[JsonRow], known: Collection[str]) -> list[JsonRow]:
        """Rows cut down to `fields`, if that was asked for."""
        fields = [name for name in self.values.get("fields", "").split(",") if name]
        for name in fields:
            if name not in known:
                raise Problem(400, f"[fields]に[{name}]は指定できません")
        return [{name: row[name] for name in fields} for row in rows] if fields else rows

    def reply(self, rows: list[JsonRow], *, more: bool) -> Response:
        """The answer to a list call, with a `Link` to the next page where the switch says so."""
        if not (more and self.switches.link_header):
            return answer(rows)
        following = {**self.values, "page": str(self._count("page", 1) + 1)}
        host = self.request.headers.get("host", "")
        root = f"{'https' if host.endswith(('.smaregi.dev', '.smaregi.jp')) else 'http'}://{host}" if host else ""
        return answer(rows, headers={"link": f'<{root}{self.request.path}?{urlencode(following)}>; rel="next"'})
