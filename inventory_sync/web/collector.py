"""Group commit for notices: many deliveries, one transaction, and nobody is answered before it is committed.

While one commit is under way new arrivals queue up; they form the next one. So a lone notice waits for nothing, and a
flood costs few commits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg
import orjson
import structlog

from inventory_sync.engine import intake
from inventory_sync.engine.intake import BATCH, Arrival
from inventory_sync.engine.lane import House

log = structlog.get_logger()

CAPACITY = 10_000
"""Arrivals that may wait for a commit: two seconds' worth at the rate intake must carry (5,000 a second)."""

COMMIT_WITHIN = 10.0
"""Seconds after which a commit that hangs is given up, so that a dead database connection does not block the next."""

DATA_ERRORS = (
    asyncpg.DataError,  # PostgreSQL refused a value, such as a NUL character
    asyncpg.IntegrityConstraintViolationError,  # the connection was removed meanwhile
    ValueError,  # asyncpg could not encode a value
    orjson.JSONEncodeError,  # half a surrogate pair
)
"""What one arrival can bring upon its batch; everything else is the database's trouble, and fails the batch whole."""


class Overloaded(Exception):
    """No more arrivals can wait for a commit, or nothing is accepted any more: the partner shall come again."""


class NotKept(Exception):
    """The commit that was to hold this arrival failed or took too long: the partner shall come again."""


class Unstorable(Exception):
    """This arrival holds something no database can keep. Its neighbours were kept."""


@dataclass(slots=True)
class _Waiting:
    arrival: Arrival
    kept: asyncio.Future[None]


class NoticeCollector:
    """Keeps arrivals, many in one transaction. `start` before the first `keep`; `stop` commits what still waits."""

    def __init__(
        self, house: House, *, batch: int = BATCH, capacity: int = CAPACITY, commit_within: float = COMMIT_WITHIN
    ) -> None:
        self._house = house
        self._batch = batch
        self._capacity = capacity
        self._commit_within = commit_within
        self._waiting: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def accepting(self) -> bool:
        """Whether `keep` works: started, and not stopping."""
        return self._worker is not None and not self._worker.done() and not self._stopping

    @property
    def waiting(self) -> int:
        """How many arrivals wait for the next commit."""
        return len(self._waiting)

    async def start(self) -> None:
        """Begin to commit. A stopped collector may be started again."""
        if self._worker is None or self._worker.done():
            self._stopping = False
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="notice collector")

    async def stop(self) -> None:
        """Accept nothing more, commit what waits, and end. Whoever waits gets the answer."""
        self._stopping = True
        self._wake.set()
        if self._worker is not None:
            await self._worker

    async def keep(self, arrival: Arrival) -> None:
        """Return once the transaction that holds the arrival has committed.

        Raises Overloaded where it was not even queued, Unstorable where no database can hold it, NotKept where its
        commit failed. A caller that is cancelled while it waits leaves the queue.
        """
        if not self.accepting or len(self._waiting) >= self._capacity:
            raise Overloaded
        waiting = _Waiting(arrival, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._wake.set()
        await waiting.kept

    async def _work(self) -> None:
        try:
            while self._waiting or not self._stopping:
                if self._waiting:
                    await self._commit(self._next())
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self._stopping = True
            _answer(self._waiting, NotKept)

    def _next(self) -> list[_Waiting]:
        """The next batch, without those whose callers have gone: they were told nothing, and will come again."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < self._batch:
            waiting = self._waiting.popleft()
            if not waiting.kept.done():
                batch.append(waiting)
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Keep a batch. One that holds a value nobody can keep is halved until that value stands alone."""
        if not batch:
            return
        try:
            async with asyncio.timeout(self._commit_within):
                await intake.keep(self._house, [waiting.arrival for waiting in batch])
        except DATA_ERRORS as error:
            if len(batch) == 1:
                # The message may quote the value, so only its class is told.
                log.warning(
                    "notice.unstorable", connection_id=batch[0].arrival.connection_id, error=type(error).__name__
                )
                _answer(batch, Unstorable)
                return
            middle = len(batch) // 2
            await self._commit(batch[:middle])
            await self._commit(batch[middle:])
        except Exception as error:
            log.error("notices.not_kept", notices=len(batch), error=type(error).__name__)
            _answer(batch, NotKept)
        except BaseException:
            _answer(batch, NotKept)
            raise
        else:
            _answer(batch, None)


def _answer(batch: Iterable[_Waiting], error: type[Exception] | None) -> None:
    for waiting in batch:
        if waiting.kept.done():
            continue
        if error is None:
            waiting.kept.set_result(None)
        else:
            waiting.kept.set_exception(error())
