"""The one place where stock numbers change: keeps the states consistent, writes the log and tells the subscribers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from inventory_sync.sandbox.kernel import EventLog, StockChange
from inventory_sync.sandbox.shopify import payloads
from inventory_sync.sandbox.shopify.state import Item, Level, LevelState, Location, Shop, utc_text
from inventory_sync.sandbox.shopify.webhooks import Occasion, Webhooks


class Stock:
    """Changes the levels of one shop."""

    def __init__(self, shop: Shop, log: EventLog, webhooks: Webhooks) -> None:
        self._shop, self._log, self._webhooks = shop, log, webhooks

    def move(self, level: Level, deltas: Mapping[str, int], occasion: Occasion) -> None:
        """Change states of a level (never on_hand, which follows) by signed amounts."""
        old, switches = level.now, self._shop.switches
        changed = {name: delta for name, delta in deltas.items() if delta}
        if not changed:
            return
        quantities = dict(old.quantities)
        for name, delta in changed.items():
            quantities[name] += delta
        stamps = old.stamps | dict.fromkeys(changed, utc_text(occasion.at))
        moved = "available" in changed or switches.other_states_move_updated_at
        updated_at = occasion.at if moved else old.updated_at
        self._enter(level, LevelState(occasion.at, old.active, quantities, stamps, updated_at))
        if "available" in changed:
            self._record(level, changed["available"], occasion)
        told = "available" in changed or switches.other_states_send_webhook
        if told and (old.active or switches.inactive_levels_send_webhook):
            self._tell("INVENTORY_LEVELS_UPDATE", level, occasion)

    def connect(self, item: Item, location: Location, available: int | None, occasion: Occasion) -> Level:
        """Make an item active at a location; `available` None restores the old number, or is 0 for a new level."""
        level = self._shop.level(item.number, location.number)
        if level is None:
            level = self._shop.open_level(item, location, 0, True, occasion.at)
        else:
            self._enter(level, replace(level.now, at=occasion.at, active=True, updated_at=occasion.at))
        if available is not None:
            delta = available - level.now.quantity("available")
            self.move(level, {"available": delta}, occasion)
        self._tell("INVENTORY_LEVELS_CONNECT", level, occasion)
        return level

    def disconnect(self, level: Level, occasion: Occasion) -> None:
        """Make a level inactive; its numbers are kept and hidden."""
        self._enter(level, replace(level.now, at=occasion.at, active=False, updated_at=occasion.at))
        self._webhooks.publish("INVENTORY_LEVELS_DISCONNECT", lambda: payloads.level_disconnected(level), occasion)

    def remove(self, level: Level, occasion: Occasion) -> None:
        """Take a level away for good; what it held is gone."""
        held = level.now.quantity("available")
        del self._shop.levels[level.item.number][level.location.number]
        if held:
            self._log.changes.append(
                StockChange(
                    occasion.at,
                    level.item.id,
                    level.location.id,
                    -held,
                    0,
                    occasion.actor,
                    occasion.cause,
                    occasion.reference,
                )
            )

    def _enter(self, level: Level, state: LevelState) -> None:
        level.become(state, timedelta(seconds=self._shop.switches.history_seconds))

    def _record(self, level: Level, delta: int, occasion: Occasion) -> None:
        after = level.now.quantities["available"]
        self._log.changes.append(
            StockChange(
                occasion.at,
                level.item.id,
                level.location.id,
                delta,
                after,
                occasion.actor,
                occasion.cause,
                occasion.reference,
            )
        )

    def _tell(self, topic: str, level: Level, occasion: Occasion) -> None:
        at = occasion.at
        self._webhooks.publish(topic, lambda: payloads.level(self._shop, level, at), occasion)
