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

from inventory_sync.cli import sandbox_trade, shell
from inventory_sync.cli.demonstration import accounts
from inventory_sync.cli.sandbox_desk import Desk, opened

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


app = typer.Typer(
    help="Simulated partners on loopback, and what people do there.", invoke_without_command=True, no_args_is_help=False
)
sandbox_trade.register(app)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the partners listen; 0 is any free port."""

    smaregi: int = 0
    shopify: int = 0
    makeshop: int = 0
    classic: int = 0


@dataclass(frozen=True, slots=True)
class Files:
    """What a sandbox writes for those who use it."""

    config: Path | None = None
    answers: Path | None = None
    env: Path | None = None
    csv: Path | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """All partners while they run."""

    smaregi: SmaregiSimulator
    shopify: ShopifySimulator
    makeshop: MakeShopSimulator
    classic: ClassicMakeShopSimulator
    shells: Mapping[str, SandboxShell]
    graphql_path: str

    def desk(self) -> Desk:
        """Where people act at the register and the shop."""
        stores = {key: f"Store {key}" for key in accounts.STORES}
        places = dict(zip(self.shopify.location_ids(), accounts.PLACES, strict=True))
        return Desk(self.smaregi, self.shopify, self.shells, {accounts.POS: stores, accounts.SHOP: places})

    def answers(self) -> str:
        """The answers to `setup` for a route between the register and the shop."""
        return accounts.answers(self.address(accounts.POS), self.address(accounts.SHOP), self.shopify.location_ids())

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


@app.callback()
def sandbox(
    context: typer.Context,
    items: Annotated[int, typer.Option("--items", min=1, max=100_000, help="How many items each partner has.")] = 100,
    config: Annotated[
        Path | None, typer.Option("--config", dir_okay=False, help="Write the configuration file here.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", dir_okay=False, help="Write answers for `setup --answers` here.")
    ] = None,
    env: Annotated[
        Path | None, typer.Option("--env", dir_okay=False, help="Write what to set in other terminals here.")
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
    desk_port: Port = 0,
) -> None:
    """Run simulated partners on loopback until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    ports = Ports(smaregi_port, shopify_port, makeshop_port, makeshop_classic_port)

    async def work(session: shell.Session) -> None:
        async with running(session, items, notify, ports) as partners, opened(partners.desk(), desk_port) as desk:
            _introduce(session, partners, desk, Files(config, answers, env, csv))
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


def _introduce(session: shell.Session, partners: Sandbox, desk: str, files: Files) -> None:
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
    exports = [f"export {name}={value}" for name, value in (EXPORTS | {sandbox_trade.DESK: desk}).items()]
    if files.env is None:
        session.line(say("sandbox_exports"))
        for each in exports:
            session.line(f"  {each}")
    else:
        _written(files.env, "\n".join([*exports, ""]).encode())
        session.line(say("sandbox_env", path=_here(files.env)))
    if files.csv is not None:
        exported = partners.classic.export(datetime.now(UTC))
        paths = [_written(files.csv / each.name, each.content) for each in exported]
        session.line(f"  inventory-sync connection upload {accounts.CLASSIC} {' '.join(map(str, paths))}")
    if files.answers is not None:
        _written(files.answers, partners.answers().encode())
        session.line(say("sandbox_answers", path=files.answers))
    if files.config is not None:
        _written(files.config, partners.config().encode())
        session.line(say("sandbox_file", path=files.config))
    elif files.answers is None:
        session.line()
        session.line(partners.config().rstrip())


def _here(path: Path) -> str:
    """A path that `.` of a shell takes for a file of this directory."""
    return str(path) if path.name != str(path) else f"./{path}"


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
