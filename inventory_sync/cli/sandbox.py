"""`sandbox`: simulated partners on loopback, with a catalogue each and a configuration file that connects them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inventory_sync.cli import shell

if TYPE_CHECKING:
    from inventory_sync.sandbox.shell import SandboxShell
    from inventory_sync.sandbox.shopify import ShopifySimulator
    from inventory_sync.sandbox.smaregi import SmaregiSimulator

CONTRACT = "sb_sandbox1"
DOMAIN = "sandbox-jp.myshopify.com"
CLIENT_ID = "sandbox-client"
LEDGER_SECRET = "sandbox-ledger-secret"  # noqa: S105 - opens nothing but the simulator
NOTICE_SECRET = "sandbox-notice-secret"  # noqa: S105
SHOP_SECRET = "shpss_sandbox_secret"  # noqa: S105
NOTICE_HEADER = "X-Inventory-Sync-Secret"
STORES = ("1", "2")
PLACES = ("Main shop", "Warehouse", "Pop-up")

_CONFIG = """\
connections:
  pos:
    system: smaregi
    contract_id: {contract}
    client_id: {client_id}
    client_secret: ${{SANDBOX_LEDGER_SECRET}}
    webhook_secret: ${{SANDBOX_NOTICE_SECRET}}
    base_url: {smaregi}
  shop:
    system: shopify
    shop: {domain}
    client_id: {client_id}
    client_secret: ${{SANDBOX_SHOP_SECRET}}
    base_url: {shopify}
routes:
  pos-shop:
    ledger: pos
    channel: shop
    match: {{ledger_field: product_code, channel_field: [sku]}}
    locations:
{locations}
    state: running
"""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Both partners while they run."""

    smaregi: SmaregiSimulator
    shopify: ShopifySimulator
    smaregi_shell: SandboxShell
    shopify_shell: SandboxShell

    def config(self) -> str:
        """A configuration file for them; its secrets come from the environment of `exports`."""
        pairs = zip(STORES, self.shopify.location_ids(), strict=False)
        lines = "\n".join(f'      - {{ledger: "{store}", channel: "{place}"}}' for store, place in pairs)
        return _CONFIG.format(
            contract=CONTRACT,
            client_id=CLIENT_ID,
            domain=DOMAIN,
            smaregi=self.smaregi_shell.base_url,
            shopify=self.shopify_shell.base_url,
            locations=lines,
        )


EXPORTS = {
    "INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS": "true",
    "SANDBOX_LEDGER_SECRET": LEDGER_SECRET,
    "SANDBOX_NOTICE_SECRET": NOTICE_SECRET,
    "SANDBOX_SHOP_SECRET": SHOP_SECRET,
}
"""What the file of `Sandbox.config` and the commands that use it need in their environment."""


def sandbox(
    items: Annotated[int, typer.Option("--items", min=1, max=100_000, help="How many items each side has.")] = 100,
    config: Annotated[
        Path | None, typer.Option("--config", dir_okay=False, help="Write the configuration file here.")
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(
            "--notify", metavar="URL", help="The daemon's public address; the ledger sends its webhooks there."
        ),
    ] = None,
    smaregi_port: Annotated[int, typer.Option("--smaregi-port", min=0, max=65535, help="0: any free one.")] = 0,
    shopify_port: Annotated[int, typer.Option("--shopify-port", min=0, max=65535, help="0: any free one.")] = 0,
) -> None:
    """Run simulated partners on loopback until Ctrl-C."""

    async def work(session: shell.Session) -> None:
        async with running(session, items, notify, smaregi_port, shopify_port) as partners:
            _introduce(session, partners, config)
            await _until_told()

    shell.run(work)


@asynccontextmanager
async def running(
    session: shell.Session, items: int, notify: str | None = None, smaregi_port: int = 0, shopify_port: int = 0
) -> AsyncIterator[Sandbox]:
    """Both simulators with their catalogues, serving."""
    smaregi_kind, shopify_kind, shell_kind = _kinds(session)
    now = datetime.now(UTC)
    smaregi = smaregi_kind(contract=CONTRACT, client_id=CLIENT_ID, client_secret=LEDGER_SECRET)
    smaregi.seed_catalogue(items, now, stores=STORES, codes=lambda number: f"DEMO-{number + 1:06d}")
    shopify = shopify_kind(
        domain=DOMAIN, client_id=CLIENT_ID, client_secret=SHOP_SECRET, locations=PLACES, beginning=now
    )
    shopify.seed_catalogue(items, now, prefix="DEMO-", stock=8)
    if notify is not None:
        url = f"{notify.rstrip('/')}/webhooks/smaregi/pos"
        smaregi.configure_webhook(url, header=NOTICE_HEADER, secret=NOTICE_SECRET)
    first, second = shell_kind(smaregi, port=smaregi_port), shell_kind(shopify, port=shopify_port)
    try:
        await first.start()
        await second.start()
        yield Sandbox(smaregi, shopify, first, second)
    finally:
        await second.stop()
        await first.stop()


def _kinds(session: shell.Session) -> tuple[type[SmaregiSimulator], type[ShopifySimulator], type[SandboxShell]]:
    try:
        from inventory_sync.sandbox.shell import SandboxShell
        from inventory_sync.sandbox.shopify import ShopifySimulator
        from inventory_sync.sandbox.smaregi import SmaregiSimulator
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "graphql":
            raise
        raise shell.Failure("IS-CLI-005", session.say("sandbox_missing")) from error
    return SmaregiSimulator, ShopifySimulator, SandboxShell


def _introduce(session: shell.Session, partners: Sandbox, config: Path | None) -> None:
    say = session.say
    session.line(say("sandbox_runs"))
    session.line(f"  Smaregi  {partners.smaregi_shell.base_url}  contract_id={CONTRACT} client_id={CLIENT_ID}")
    session.line(f"  Shopify  {partners.shopify_shell.base_url}  shop={DOMAIN} client_id={CLIENT_ID}")
    session.line(say("sandbox_exports"))
    for name, value in EXPORTS.items():
        session.line(f"  export {name}={value}")
    if config is None:
        session.line()
        session.line(partners.config().rstrip())
    else:
        try:
            config.write_text(partners.config(), encoding="utf-8")
        except OSError as error:
            raise shell.Failure("IS-CLI-006", f"{config}: {error.strerror}") from error
        session.line(say("sandbox_file", path=config))


async def _until_told() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    ending: Callable[[], None] = stop.set
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, ending)
    await stop.wait()
