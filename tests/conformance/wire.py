"""A length of wire between client and partner: it forwards bytes, can be cut, and hung up when idle."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_CHUNK = 65536
_HEAD_ENDS = b"\r\n\r\n"


@dataclass(eq=False)
class _Line:
    """One connection of a client, and the one to the partner behind it."""

    client: asyncio.StreamWriter
    partner: asyncio.StreamWriter
    waiting: bool = False  # a request went out and no byte of its answer came back yet
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Wire:
    """Forwards TCP connections from a port of its own to a partner."""

    def __init__(self) -> None:
        self.url = ""
        self._host, self._port = "", 0
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._break_off = False

    async def start(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for line in self._lines:
            line.client.transport.abort()
            line.partner.transport.abort()
        await asyncio.gather(*self._tasks)

    def break_off_next_answer(self) -> None:
        """Let only the head and half of the body of the next answer through, then hang up."""
        self._break_off = True

    async def close_idle(self) -> int:
        """Hang up every line on which nothing is under way; returns how many, once their clients hung up too."""
        idle = [line for line in self._lines if not line.waiting]
        for line in idle:
            line.client.write_eof()
        async with asyncio.timeout(5.0):
            for line in idle:
                await line.ended.wait()
        return len(idle)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        partner_reader, partner_writer = await asyncio.open_connection(self._host, self._port)
        line = _Line(writer, partner_writer)
        self._lines.add(line)
        ways = [
            asyncio.ensure_future(self._out(reader, line)),
            asyncio.ensure_future(self._back(partner_reader, line)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._lines.discard(line)
            line.ended.set()
            for way in ways:
                way.cancel()
            # What ended on one side ends on the other, in the same manner: a reset stays a reset.
            for side in (writer, partner_writer):
                side.transport.abort()

    async def _out(self, reader: asyncio.StreamReader, line: _Line) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                line.waiting = True
                line.partner.write(data)
                await line.partner.drain()

    async def _back(self, reader: asyncio.StreamReader, line: _Line) -> None:
        begun = b""
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                line.waiting = False
                if not self._break_off:
                    line.client.write(data)
                    await line.client.drain()
                    continue
                begun += data
                head, end, body = begun.partition(_HEAD_ENDS)
                if len(body) > 1:
                    self._break_off = False
                    line.client.write(head + end + body[: len(body) // 2])
                    await line.client.drain()
                    line.client.close()
                    await line.client.wait_closed()
                    return
