"""The two files of a shop without a catalogue API: its person exports them, and hands them in at the daemon.

They are handed in together, one after the other with trade in between, long after they were made, or cut. Whatever
they say of stock, trade has gone on since: they are hints, and two files are one generation or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory_sync.engine import files
from inventory_sync.systems.errors import FileRefused
from inventory_sync.systems.port import NamedFile
from tests.simulation.watched import WatchedClassic

if TYPE_CHECKING:
    from tests.simulation.world import World

Generation = tuple[NamedFile, NamedFile]


def export(world: World) -> Generation:
    """Product file and option file, as the shop shows them now."""
    partner = world.partners["cart"]
    shop = partner.simulator
    assert isinstance(shop, WatchedClassic)
    product, option = shop.export(world.agenda.now, partner.settings.csv_encoding, guarded=world.chance.random() < 0.5)
    return NamedFile(product.name, product.content), NamedFile(option.name, option.content)


async def hand_in(world: World, name: str, given: tuple[NamedFile, ...]) -> files.HandedIn:
    """Hand files in, as the command does. Raises FileRefused."""
    partner = world.partners[name]
    connection = await world.pool.fetchrow("select * from connections where id = $1", partner.connection_id)
    catalogue = partner.definition.file_catalogue(partner.settings) if partner.definition.file_catalogue else None
    assert catalogue is not None
    return await files.hand_in(world.house, connection, catalogue, given, confirm=False, actor="story")


def visit(world: World) -> None:
    """Somebody exports the catalogue, and brings it sooner or later."""
    chance, (product, option) = world.chance, export(world)
    draw = chance.random()
    if draw < 0.4:
        _bring(world, (product, option))
    elif draw < 0.65:
        _bring(world, (product,))
        world.agenda.soon(1.0, 20.0, lambda: _bring(world, (option,)))
    elif draw < 0.85:
        world.agenda.soon(10.0, 60.0, lambda: _bring(world, (product, option)))
    else:
        _bring(world, (product, _cut(world, option)), whole=False)


def _cut(world: World, file: NamedFile) -> NamedFile:
    """A file whose last line was lost in the middle."""
    return NamedFile(file.name, file.body[: -world.chance.randint(3, 9)])


def _bring(world: World, given: tuple[NamedFile, ...], *, whole: bool = True) -> None:
    """At the daemon's command line, if it is up; a daemon that dies meanwhile has taken all or nothing."""
    if not world.up:
        world.agenda.soon(2.0, 5.0, lambda: _bring(world, given, whole=whole))
        return

    async def bring() -> None:
        try:
            await world.again(lambda: hand_in(world, "cart", given))
        except FileRefused as refused:
            if whole:
                world.violations.append(f"a good file was refused: {refused.message}")
        else:
            if not whole:
                world.violations.append("a file was taken that had been cut")

    world.tasks.start(f"files:{world.number()}", bring(), lambda _: world.wake("decide"))
