"""Files of built-in ledgers at work: one step per declared source, run in the lane of its connection.

Whoever holds the lane watches the folders, so one replica does. What a person must know is said by alerts.
"""

from __future__ import annotations

from typing import Any

from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.lane import House, Progress
from inventory_sync.ledger.book import ensure_book
from inventory_sync.ledger.files.desk import LedgerDesk
from inventory_sync.ledger.files.problems import Language
from inventory_sync.ledger.files.receipt import Receipt, Verdict
from inventory_sync.ledger.files.sources import Source, SourceLook, SourceSettings, open_source, sources_of
from inventory_sync.loops import Step
from inventory_sync.store import db

REFUSED, UNREACHABLE, OVERDUE = "ledger_file_refused", "ledger_files_unreachable", "ledger_files_overdue"


def steps_of(house: House, connection_id: int, name: str, settings: object, language: Language) -> list[Step]:
    """The steps of a connection's file sources; none where its settings declare none."""
    return [_Watch(house, connection_id, name, source, language).step for source in sources_of(settings)]


class _Watch:
    """One source of one book."""

    def __init__(
        self, house: House, connection_id: int, book: str, settings: SourceSettings, language: Language
    ) -> None:
        self._house = house
        self._connection_id = connection_id
        self._book = book
        self._settings = settings
        self._language: Language = language
        self._source: Source | None = None
        self._said = {UNREACHABLE, OVERDUE}  # a process before this one may have said so: the first good look closes it

    @property
    def _subject(self) -> str:
        return f"{self._book}/{self._settings.profile.name}"

    async def step(self) -> Progress:
        """Fetch when it is time, and take in one file at most."""
        now = self._house.now()
        seen = await (await self._opened()).step(now)
        await self._tell(seen)
        return Progress(seen.look.did, seen.look.due)

    async def _opened(self) -> Source:
        if self._source is None:
            house = self._house
            book = await ensure_book(house.pool, self._book, new_id=house.ambient.new_id, now=house.now())
            desk = LedgerDesk(house.pool, book, self._settings.profile, house.now)
            self._source = open_source(self._settings, desk, language=self._language, announce=self._announce)
        return self._source

    async def _announce(self, receipt: Receipt) -> None:
        if receipt.verdict is Verdict.REFUSED:
            await self._alert(REFUSED, file=receipt.file, problems=[each.code for each in receipt.problems[:5]])
        else:
            await self._over(REFUSED)

    async def _tell(self, seen: SourceLook) -> None:
        if seen.trouble is not None:
            await self._alert(UNREACHABLE, problem=seen.trouble.code)
        elif UNREACHABLE in self._said:
            await self._over(UNREACHABLE)
        if seen.overdue_since is not None:
            await self._alert(OVERDUE, since=seen.overdue_since.isoformat())
        elif OVERDUE in self._said:
            await self._over(OVERDUE)

    async def _alert(self, code: str, **detail: Any) -> None:
        house = self._house
        self._said.add(code)
        async with db.transaction(house.pool) as conn:
            await open_alert(
                conn,
                house.observer,
                code,
                self._subject,
                now=house.now(),
                connection_id=self._connection_id,
                **detail,
            )

    async def _over(self, code: str) -> None:
        self._said.discard(code)
        async with db.transaction(self._house.pool) as conn:
            await close_alerts(conn, code, self._subject, now=self._house.now())
