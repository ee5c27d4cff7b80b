"""The desk of a running sandbox: people act at the simulated partners through it, and look at what happened there.

It answers on loopback only, and knows the simulators and nothing of the product under test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from inventory_sync.cli.demonstration import accounts

if TYPE_CHECKING:
    from inventory_sync.sandbox.kernel import EventLog
    from inventory_sync.sandbox.shell import SandboxShell
    from inventory_sync.sandbox.shopify import ShopifySimulator
    from inventory_sync.sandbox.smaregi import SmaregiSimulator

Document = dict[str, Any]


class Impossible(Exception):
    """Nobody can do that at this partner. The message says why."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The register and the shop with their shells. Places are named by key or by name."""

    register: SmaregiSimulator
    shop: ShopifySimulator
    shells: Mapping[str, SandboxShell]
    places: Mapping[str, Mapping[str, str]]
    """By connection: each place's key with its name."""

    def sell(self, partner: str, code: str, units: int, place: str) -> Document:
        """A customer buys at the register, or orders at the shop."""
        item, key = self._item(partner, code), self._place(partner, place)
        if partner == accounts.POS:
            self._act(partner, lambda now: self.register.sell(item, key, units, now))
        elif self._act(partner, lambda now: self.shop.sell(item, key, units, now)) is None:
            raise Impossible(f"{code}: fewer than {units} are for sale at {self.places[partner][key]}.")
        return self._cell(partner, code, item, key)

    def receive(self, partner: str, code: str, units: int, place: str) -> Document:
        """Goods come in at the register, or somebody adds units in the shop's admin."""
        item, key = self._item(partner, code), self._place(partner, place)
        if partner == accounts.POS:
            self._act(partner, lambda now: self.register.receive(item, key, units, now))
        else:
            self._act(partner, lambda now: self.shop.adjust_by_person(item, key, units, now))
        return self._cell(partner, code, item, key)

    def stock(self, code: str | None) -> list[Document]:
        """What a clerk and a customer see now, of one code or of all."""
        found: list[Document] = []
        for partner, places in self.places.items():
            items = self._items(partner)
            wanted = items if code is None else {code: items[code]} if code in items else {}
            found += [self._cell(partner, each, item, key) for each, item in sorted(wanted.items()) for key in places]
        return found

    def log(self) -> list[Document]:
        """Every change of a number at either partner, in order, from its own log; `by_product` are those we wrote."""
        found: list[Document] = []
        for partner, each in ((accounts.POS, self.register), (accounts.SHOP, self.shop)):
            codes = {item: code for code, item in self._items(partner).items()}
            events: EventLog = each.log
            for change in events.changes:
                document = asdict(change)
                names = {"partner": partner, "code": codes.get(change.item, ""), "place": change.location}
                found.append(names | document | {"by_product": change.actor == "client"})
        return sorted(found, key=lambda each: each["at"])

    def violations(self) -> list[Document]:
        """Limits of a partner that were overstepped."""
        logs = {accounts.POS: self.register.log, accounts.SHOP: self.shop.log}
        return [{"partner": partner} | asdict(each) for partner, log in logs.items() for each in log.violations]

    def _act(self, partner: str, deed: Callable[[datetime], Any]) -> Any:
        return self.shells[partner].act(deed)

    def _items(self, partner: str) -> dict[str, str]:
        if partner == accounts.POS:
            return {code: str(product) for code, product in self.register.codes.items()}
        known = ((self.shop.sku(item), item) for item in self.shop.item_ids())
        return {sku: item for sku, item in known if sku is not None}

    def _item(self, partner: str, code: str) -> str:
        if partner not in self.places:
            raise Impossible(f"There is no {partner!r} here: {', '.join(self.places)}.")
        try:
            return self._items(partner)[code]
        except KeyError:
            raise Impossible(f"{partner} has no item with the code {code!r}.") from None

    def _place(self, partner: str, place: str) -> str:
        known = self.places[partner]
        for key, name in known.items():
            if place in ("", key, name):
                return key
        raise Impossible(f"{partner} has no place {place!r}: {', '.join(known.values())}.")

    def _cell(self, partner: str, code: str, item: str, key: str) -> Document:
        register = partner == accounts.POS
        number = self.register.stock(item, key) if register else self.shop.available(item, key)
        return {"partner": partner, "code": code, "place": self.places[partner][key], "stock": number}


@asynccontextmanager
async def opened(desk: Desk, port: int) -> AsyncIterator[str]:
    """The desk's address, while it is open."""
    app = web.Application()
    app.router.add_get("/stock", lambda request: _answer({"stock": desk.stock(request.query.get("code"))}))
    app.router.add_get("/log", lambda request: _answer({"changes": desk.log(), "violations": desk.violations()}))
    for name, deed in (("sell", desk.sell), ("receive", desk.receive)):
        app.router.add_post(f"/{name}", _asked(deed))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _asked(deed: Callable[[str, str, int, str], Document]) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        said = await request.json()
        try:
            return await _answer(deed(said["partner"], said["code"], said["units"], said["place"]))
        except Impossible as error:
            return web.json_response({"error": str(error)}, status=409)

    return answer


async def _answer(document: Document) -> web.Response:
    import orjson

    return web.Response(body=orjson.dumps(document), content_type="application/json")
