"""`sandbox`: simulated partners on loopback, with a catalogue each and a configuration file that connects them."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inventory_sync.cli import shell
from inventory_sync.cli.demonstration import accounts

if TYPE_CHECKING:
    from inventory_sync.sandbox.makeshop import MakeShopSimulator
    from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
    from inventory_sync.sandbox.shell import SandboxShell
    from inventory_sync.sandbox.shopify import ShopifySimulator
    from inventory_sync.sandbox.smaregi import SmaregiSimulator

SHOP_STOCK, CART_STOCK = 8, 18
"""What the shops show of each item at first; the register has 10 of it in each store."""

HIDDEN = "CALIBRATE"
"""A product at MakeShop that is hidden from customers, to calibrate the connection with."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the partners listen; 0 is any free port."""

    smaregi: int = 0
    shopify: int = 0
    makeshop: int = 0
    classic: int = 0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """All partners while they run."""

    smaregi: SmaregiSimulator
    shopify: ShopifySimulator
    makeshop: MakeShopSimulator
    classic: ClassicMakeShopSimulator
    shells: Mapping[str, SandboxShell]
    graphql_path: str

    def address(self, connection: str) -> str:
        """The address of a connection's partner, as its configuration has it."""
        url = self.shells[connection].base_url
        return url + self.graphql_path if connection == accounts.CART else url

    def config(self) -> str:
        """A configuration file for them; its secrets come from the environment of `EXPORTS`."""
        kinds = {
            accounts.POS: accounts.pos,
            accounts.SHOP: accounts.shop,
            accounts.CART: accounts.cart,
            accounts.CLASSIC: accounts.classic,
        }
        return accounts.configuration(
            {name: kind(self.address(name)) for name, kind in kinds.items()},
            {
                accounts.POS_SHOP: accounts.paired_route(self.shopify.location_ids()),
                accounts.POS_CART: accounts.pooled_route(accounts.CART),
                accounts.POS_CLASSIC: accounts.pooled_route(accounts.CLASSIC),
            },
        )


EXPORTS = {"INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS": "true", **accounts.SECRETS}
"""What the file of `Sandbox.config` and the commands that use it need in their environment."""

Port = Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")]


def sandbox(
    items: Annotated[int, typer.Option("--items", min=1, max=100_000, help="How many items each partner has.")] = 100,
    config: Annotated[
        Path | None, typer.Option("--config", dir_okay=False, help="Write the configuration file here.")
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(
            "--notify", metavar="URL", help="The daemon's public address; the ledger sends its webhooks there."
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="DIR",
            file_okay=False,
            help="Write the classic shop's product and option CSV here, as its person downloads them.",
        ),
    ] = None,
    smaregi_port: Port = 0,
    shopify_port: Port = 0,
    makeshop_port: Port = 0,
    makeshop_classic_port: Port = 0,
) -> None:
    """Run simulated partners on loopback until Ctrl-C."""
    ports = Ports(smaregi_port, shopify_port, makeshop_port, makeshop_classic_port)

    async def work(session: shell.Session) -> None:
        async with running(session, items, notify, ports) as partners:
            _introduce(session, partners, config, csv)
            await _until_told()

    shell.run(work)


@asynccontextmanager
async def running(
    session: shell.Session, items: int, notify: str | None = None, ports: Ports | None = None
) -> AsyncIterator[Sandbox]:
    """All simulators with their catalogues, serving."""
    partners = _made(session, items, ports or Ports())
    if notify is not None:
        from inventory_sync.cli.demonstration.partners import notify as send_notices

        send_notices(partners.smaregi, notify)
    started = []
    try:
        for each in partners.shells.values():
            await each.start()
            started.append(each)
        yield partners
    finally:
        for each in reversed(started):
            await each.stop()


def _made(session: shell.Session, items: int, ports: Ports) -> Sandbox:
    try:
        from inventory_sync.cli.demonstration import partners
        from inventory_sync.sandbox.makeshop import PATH
        from inventory_sync.sandbox.shell import SandboxShell
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "graphql":
            raise
        raise shell.Failure("IS-CLI-005", session.say("sandbox_missing")) from error
    now, chance = datetime.now(UTC), random.Random(0)
    smaregi, shopify = partners.smaregi(), partners.shopify(now)
    makeshop, classic = partners.makeshop(chance), partners.makeshop_classic(chance)
    partners.stock_register(smaregi, items, now)
    shopify.seed_catalogue(items, now, prefix="DEMO-", stock=SHOP_STOCK)
    for cart in (makeshop, classic):
        partners.stock_cart(cart, items, now, CART_STOCK)
    makeshop.add_product(now, code=HIDDEN, stock=10, displayed=False)
    shells = {
        accounts.POS: SandboxShell(smaregi, port=ports.smaregi),
        accounts.SHOP: SandboxShell(shopify, port=ports.shopify),
        accounts.CART: SandboxShell(makeshop, port=ports.makeshop),
        accounts.CLASSIC: SandboxShell(classic, port=ports.classic),
    }
    return Sandbox(smaregi, shopify, makeshop, classic, shells, PATH)


def _introduce(session: shell.Session, partners: Sandbox, config: Path | None, csv: Path | None) -> None:
    say = session.say
    session.line(say("sandbox_runs"))
    known = {
        accounts.POS: f"Smaregi  contract_id={accounts.CONTRACT} client_id={accounts.CLIENT_ID}",
        accounts.SHOP: f"Shopify  shop={accounts.DOMAIN} client_id={accounts.CLIENT_ID}",
        accounts.CART: f"MakeShop (GraphQL)  shop_id={accounts.CART_SHOP}",
        accounts.CLASSIC: f"MakeShop (classic)  shop_id={accounts.CLASSIC_SHOP} admin_id={accounts.ADMIN}",
    }
    for name, text in known.items():
        session.line(f"  {name:8}{partners.address(name)}  {text}")
    session.line(say("sandbox_exports"))
    for name, value in EXPORTS.items():
        session.line(f"  export {name}={value}")
    if csv is not None:
        files = [_written(csv / each.name, each.content) for each in partners.classic.export(datetime.now(UTC))]
        session.line(f"  inventory-sync connection upload {accounts.CLASSIC} {' '.join(map(str, files))}")
    if config is None:
        session.line()
        session.line(partners.config().rstrip())
    else:
        _written(config, partners.config().encode())
        session.line(say("sandbox_file", path=config))


def _written(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise shell.Failure("IS-CLI-006", f"{path}: {error.strerror}") from error
    return path


async def _until_told() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    ending: Callable[[], None] = stop.set
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, ending)
    await stop.wait()
