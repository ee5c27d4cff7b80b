"""`ledger keys|items|locations|labels|hooks`: who may use a ledger, what is in it, and who is told of changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from inventory_sync.cli import partners, shell
from inventory_sync.cli.ledger_desk import BookName, Desk, Json, at_book
from inventory_sync.cli.ledger_texts import scope_word, show_table, tell
from inventory_sync.cli.shell import moment
from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import hooks as outgoing
from inventory_sync.ledger import keys as bearer
from inventory_sync.ledger import reading
from inventory_sync.ledger.keys import Scope
from inventory_sync.ledger.values import Item, Label, Location, Put
from inventory_sync.systems.port import SettingsModel
from inventory_sync.upstreams import check_upstreams

keys = typer.Typer(help="Keys that let a warehouse system use the ledger's API.", no_args_is_help=True)
items = typer.Typer(help="What the ledger counts.", no_args_is_help=True)
locations = typer.Typer(help="Where stock lies.", no_args_is_help=True)
labels = typer.Typer(help="Kinds of stock (sellable, damaged ...).", no_args_is_help=True)
hooks = typer.Typer(help="Addresses that are told which levels changed.", no_args_is_help=True)

ITEM_LINES = 10_000


class _Address(SettingsModel):
    """An address as the rule about addresses looks at it."""

    hook_url: str


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who will use it, for the record.")],
    read_only: Annotated[bool, typer.Option("--read-only", help="It may read and not write.")] = False,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once; only its hash is kept."""

    async def work(desk: Desk) -> None:
        scope = Scope.READ if read_only else Scope.WRITE
        made = await bearer.create_key(
            desk.house.pool, desk.book, name, scope, actor=shell.actor(), now=desk.house.now()
        )
        if as_json:
            desk.session.json({"book": desk.book.name, **asdict(made)})
            return
        desk.session.line(tell(desk.session, "key_made", name=made.name, scope=scope_word(desk.session, made.scope)))
        desk.session.line(made.key)

    at_book(book, work)


@keys.command("list")
def list_keys(book: BookName = None, as_json: Json = False) -> None:
    """List the keys there are and were, without their values."""

    async def work(desk: Desk) -> None:
        found = await bearer.list_keys(desk.house.pool, desk.book)
        if as_json:
            desk.session.json({"book": desk.book.name, "keys": [asdict(key) for key in found]})
            return
        rows = [
            (
                *(k.name, k.prefix, scope_word(desk.session, k.scope), k.made_by),
                *(moment(k.made_at), moment(k.used_at), moment(k.revoked_at)),
            )
            for k in found
        ]
        headings = ("name", "prefix", "scope", "made_by", "made_at", "used_at", "revoked_at")
        show_table(desk.session, "keys", headings, rows)

    at_book(book, work)


@keys.command("revoke")
def revoke_key(
    name: Annotated[str, typer.Argument(help="The key's name.")], book: BookName = None, as_json: Json = False
) -> None:
    """End a key for good, at once."""

    async def work(desk: Desk) -> None:
        prefix = await bearer.revoke_key(desk.house.pool, desk.book, name, actor=shell.actor(), now=desk.house.now())
        if as_json:
            desk.session.json({"book": desk.book.name, "name": name, "prefix": prefix})
        else:
            desk.session.line(tell(desk.session, "key_revoked", name=name, prefix=prefix))

    at_book(book, work)


@items.command("list")
def list_items(
    after: Annotated[str, typer.Option("--after", help="Behind this SKU.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=ITEM_LINES, help="How many.")] = 500,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """List the items by SKU."""

    async def work(desk: Desk) -> None:
        found = await reading.items(desk.house.pool, desk.book, after=after, limit=limit)
        if as_json:
            desk.session.json({"book": desk.book.name, "items": [asdict(item) for item in found]})
            return
        rows = [(i.sku, i.name, i.barcode, i.tracked, i.archived) for i in found]
        show_table(desk.session, "items", ("sku", "name", "barcode", "tracked", "archived"), rows)

    at_book(book, work)


@items.command("put")
def put_item(
    sku: Annotated[str, typer.Argument(help="The SKU, to the character.")],
    name: Annotated[str, typer.Option("--name", help="What it is.")] = "",
    barcode: Annotated[str, typer.Option("--barcode", help="JAN, EAN or UPC.")] = "",
    untracked: Annotated[bool, typer.Option("--untracked", help="Its stock is not counted.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="It is not offered any more.")] = False,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Make an item, or change all of it."""

    async def work(desk: Desk) -> None:
        item = Item(sku, name, barcode, not untracked, archived)
        _show_put(desk, await ledger.put_items(desk.house.pool, desk.book, [item], now=desk.house.now()), as_json)

    at_book(book, work)


@locations.command("list")
def list_locations(book: BookName = None, as_json: Json = False) -> None:
    """List the locations."""

    async def work(desk: Desk) -> None:
        found = await reading.locations(desk.house.pool, desk.book)
        if as_json:
            desk.session.json({"book": desk.book.name, "locations": [asdict(place) for place in found]})
            return
        rows = [(place.key, place.name, place.active) for place in found]
        show_table(desk.session, "locations", ("location", "name", "active"), rows)

    at_book(book, work)


@locations.command("put")
def put_location(
    key: Annotated[str, typer.Argument(help="Its key, to the character.")],
    name: Annotated[str, typer.Option("--name", help="What people call it.")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="It is not in use.")] = False,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Make a location, or change all of it."""

    async def work(desk: Desk) -> None:
        place = Location(key, name, not closed)
        done = await ledger.put_locations(desk.house.pool, desk.book, [place], now=desk.house.now())
        _show_put(desk, done, as_json)

    at_book(book, work)


@labels.command("list")
def list_labels(book: BookName = None, as_json: Json = False) -> None:
    """List the stock labels, and which of them may go below 0."""

    async def work(desk: Desk) -> None:
        found = await reading.labels(desk.house.pool, desk.book)
        if as_json:
            desk.session.json({"book": desk.book.name, "labels": [asdict(label) for label in found]})
            return
        show_table(desk.session, "labels", ("label", "negative"), [(label.name, label.negative) for label in found])

    at_book(book, work)


@labels.command("put")
def put_label(
    name: Annotated[str, typer.Argument(help="The label's name, to the character.")],
    negative: Annotated[bool, typer.Option("--negative", help="Its levels may go below 0.")] = False,
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Make a stock label, or change whether its levels may go below 0."""

    async def work(desk: Desk) -> None:
        done = await ledger.put_labels(desk.house.pool, desk.book, [Label(name, negative)], now=desk.house.now())
        _show_put(desk, done, as_json)

    at_book(book, work)


@hooks.command("add")
def add_hook(
    url: Annotated[str, typer.Argument(help="The address that takes the deliveries.")],
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Tell an address which levels change from now on. The signing secret is shown once."""

    async def work(desk: Desk) -> None:
        settings = desk.session.settings
        check_upstreams(_Address(hook_url=url), allow_insecure=settings.allow_insecure_upstreams)
        made = await outgoing.create_hook(
            desk.house.pool,
            desk.book,
            url,
            box=partners.secret_box(settings),
            actor=shell.actor(),
            now=desk.house.now(),
        )
        if as_json:
            desk.session.json({"book": desk.book.name, **asdict(made)})
            return
        desk.session.line(tell(desk.session, "hook_made", id=made.id))
        desk.session.line(made.secret)

    at_book(book, work)


@hooks.command("list")
def list_hooks(book: BookName = None, as_json: Json = False) -> None:
    """List the addresses that are told, and how the delivery under way fares."""

    async def work(desk: Desk) -> None:
        found = await outgoing.list_hooks(desk.house.pool, desk.book)
        if as_json:
            desk.session.json({"book": desk.book.name, "hooks": [asdict(hook) for hook in found]})
            return
        rows = [(h.id, h.url, h.made_by, moment(h.made_at), h.attempts, h.answer) for h in found]
        show_table(desk.session, "hooks", ("number", "url", "made_by", "made_at", "attempts", "answer"), rows)

    at_book(book, work)


@hooks.command("remove")
def remove_hook(
    number: Annotated[int, typer.Argument(help="Its number, as `ledger hooks list` shows it.")],
    book: BookName = None,
    as_json: Json = False,
) -> None:
    """Tell an address nothing more."""

    async def work(desk: Desk) -> None:
        url = await outgoing.remove_hook(desk.house.pool, desk.book, number, actor=shell.actor(), now=desk.house.now())
        if as_json:
            desk.session.json({"book": desk.book.name, "id": number, "url": url})
        else:
            desk.session.line(tell(desk.session, "hook_removed", url=url))

    at_book(book, work)


def _show_put(desk: Desk, done: Put, as_json: bool) -> None:
    if as_json:
        desk.session.json({"book": desk.book.name, **asdict(done)})
    else:
        desk.session.line(tell(desk.session, "put", **asdict(done)))
