"""Steps as tasks, one moving at a time: each runs until it waits for the network or ends; then comes the next event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from inventory_sync.store.db import Pool

T = TypeVar("T")


class Killed(BaseException):
    """The process died here."""


async def _let_callbacks_run() -> None:
    """Until the loop has nothing left to call: what follows from the last move of a step has followed."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(8):
        if not ready:
            return
        await asyncio.sleep(0)


class Tasks:
    """The running steps of one process. `moving` counts those that are neither waiting for the network nor ended."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._moving = 0
        self._counted: set[asyncio.Future[Any]] = set()
        self._still = asyncio.Event()
        self.dead = False
        self.kill_in: int | None = None
        self.held = 0
        """Connections that steps hold while they wait for the network: none, unless a bug is planted."""
        self.errors: list[BaseException] = []

    def busy(self, name: str) -> bool:
        return name in self._running

    def start(self, name: str, work: Coroutine[Any, Any, T], done: Callable[[T], None]) -> None:
        self._moving += 1

        async def run() -> None:
            try:
                result = await work
            finally:
                self._running.pop(name, None)
                self._stopped()
            done(result)

        self._running[name] = asyncio.get_running_loop().create_task(run(), name=name)
        self._running[name].add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, Killed):
            self.errors.append(error)

    def _stopped(self) -> None:
        self._moving -= 1
        self._still.set()

    async def wait(self, answer: asyncio.Future[T]) -> T:
        """A step waits for the network here. Where it asks several things at once, it goes on counting as moving:
        nobody sees it move, and it holds no connection, which `settle` finds out."""
        if asyncio.current_task() in self._running.values():
            self._counted.add(answer)
            self._stopped()
        return await answer

    def resume(self, answer: asyncio.Future[Any]) -> None:
        """A step that waits for this answer is about to move again."""
        if answer in self._counted:
            self._counted.discard(answer)
            self._moving += 1
            self._still.clear()

    async def settle(self, pool: Pool) -> None:
        """Until no step moves: all have ended, wait for the network, or wait for another step that does.

        A step that waits for another one (for its token, say) holds no connection to the database.
        """
        while self._moving > 0:
            if await self._all_wait_for_each_other(pool):
                return
            self._still.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._still.wait(), 0.005)
        await _let_callbacks_run()

    async def _all_wait_for_each_other(self, pool: Pool) -> bool:
        """Whether no step uses the database, looked at for longer than a step takes from one query to the next."""
        for _ in range(30):
            if self._moving <= 0 or pool.get_idle_size() + self.held < pool.get_max_size():
                return False
            await asyncio.sleep(0)
        return True

    def may_die(self) -> None:
        """A place where the process may die: called before every transaction."""
        if self.kill_in is not None:
            self.kill_in -= 1
            if self.kill_in <= 0:
                self.dead = True
                raise Killed

    async def kill(self) -> None:
        """The process dies: whatever its steps waited for never comes.

        A step may take the first cancellation for the end of something it was tidying up: it is told until it ends.
        """
        self.dead = True
        tasks = set(self._running.values())
        while tasks:
            for task in tasks:
                task.cancel()
            _, tasks = await asyncio.wait(tasks, timeout=0.5)
        self._running.clear()
        self._moving = 0
