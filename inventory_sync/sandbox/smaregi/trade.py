"""What people do with stock outside our control: at the register, in the stock room, in the office, in other apps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.sandbox.smaregi.records import Division, HistoryRow
from inventory_sync.sandbox.smaregi.world import Move, SmaregiWorld


@dataclass(frozen=True, slots=True)
class OfflineSale:
    """A sale that a register made while it had no network."""

    product: str
    store: str
    quantity: int
    sold_at: datetime


@dataclass(frozen=True, slots=True)
class Transfer:
    """Goods on the way from one store to another: in the stock of neither."""

    number: str
    product: str
    source: str
    target: str
    quantity: int


class SmaregiTrade(SmaregiWorld):
    """Trade at a contract. Methods return the change-history id, or None where stock of the product is not managed.

    Quantities are positive unless said otherwise; nothing is refused for going below 0, as at Smaregi itself.
    """

    def sell(self, product: str, store: str, quantity: int, now: datetime, *, reference: str = "") -> str | None:
        """A sale at the register."""
        return self._trade(product, store, -_positive(quantity), Division.SALE, now, reference=reference)

    def return_goods(self, product: str, store: str, quantity: int, now: datetime) -> str | None:
        """A customer brings goods back."""
        return self._trade(product, store, _positive(quantity), Division.RETURN, now)

    def receive(self, product: str, store: str, quantity: int, now: datetime) -> str | None:
        """Goods come in from a supplier."""
        return self._trade(product, store, _positive(quantity), Division.RECEIPT, now)

    def adjust(self, product: str, store: str, delta: int, now: datetime, *, memo: str | None = None) -> str | None:
        """A person changes the number by a difference, of either sign."""
        return self._trade(product, store, delta, Division.ADJUSTMENT, now, memo=memo)

    def ship(self, product: str, store: str, quantity: int, now: datetime, *, reference: str = "") -> str | None:
        """Goods are issued by a shipment (出荷), as an order importer books them."""
        return self._trade(product, store, -_positive(quantity), Division.SHIPMENT, now, reference=reference)

    def lose(
        self, product: str, store: str, quantity: int, now: datetime, *, target: datetime | None = None
    ) -> str | None:
        """Goods are written off, perhaps under an earlier business date."""
        return self._trade(product, store, -_positive(quantity), Division.LOSS, now, target=target)

    def count(
        self, product: str, store: str, counted: int, now: datetime, *, target: datetime | None = None
    ) -> str | None:
        """A stocktake sets the number to what was counted, perhaps under an earlier business date."""
        delta = counted - (self.stock(product, store) or 0)
        return self._trade(product, store, delta, Division.COUNT, now, target=target)

    def layaway(self, product: str, store: str, quantity: int, now: datetime) -> str | None:
        """Goods are put aside for a customer."""
        return self._lay_away(product, store, _positive(quantity), now)

    def cancel_layaway(self, product: str, store: str, quantity: int, now: datetime) -> str | None:
        """Goods put aside go back to the shelf. Raises ValueError where fewer are put aside."""
        if _positive(quantity) > self.layaway_stock(product, store):
            raise ValueError("fewer units are laid away")
        return self._lay_away(product, store, -quantity, now)

    def transfer(self, product: str, source: str, target: str, quantity: int, now: datetime) -> Transfer | None:
        """Goods leave one store for another; `receive_transfer` takes them in there. None: stock is not managed."""
        cell, destination = self.cell(product, source), self.cell(product, target)
        if not self.products[cell.product].managed:
            return None
        move = Move(
            cell,
            -_positive(quantity),
            Division.TRANSFER_OUT,
            from_store=cell.store,
            to_store=destination.store,
        )
        row = self.book(move, now)
        self.announce_stock([row], now)
        return Transfer(str(row.id), product, source, target, quantity)

    def receive_transfer(self, transfer: Transfer, now: datetime) -> str:
        """Goods on the way arrive; the caller sees to it that they do so once."""
        source, cell = self.cell(transfer.product, transfer.source), self.cell(transfer.product, transfer.target)
        move = Move(
            cell,
            transfer.quantity,
            Division.TRANSFER_IN,
            from_store=source.store,
            to_store=cell.store,
        )
        row = self.book(move, now)
        self.announce_stock([row], now)
        return str(row.id)

    def offline_burst(self, sales: Sequence[OfflineSale], now: datetime) -> list[str]:
        """A register that was offline uploads its sales: each under its own time, all told in one webhook."""
        rows = [
            self.book(Move(cell, -_positive(sale.quantity), Division.SALE, target=sale.sold_at), now)
            for sale in sales
            if self.products[(cell := self.cell(sale.product, sale.store)).product].managed
        ]
        if rows:
            self.announce_stock(rows, now)
        return [str(row.id) for row in rows]

    def bulk_change(self, deltas: Sequence[tuple[str, str, int]], now: datetime) -> list[str]:
        """An upload in the office changes many cells (product, store, difference), told as `bulk-update`."""
        rows = [
            self.book(Move(cell, delta, Division.CORRECTION), now)
            for product, store, delta in deltas
            if self.products[(cell := self.cell(product, store)).product].managed
        ]
        if rows:
            self.announce_stock(rows, now, "bulk-update")
        return [str(row.id) for row in rows]

    def legacy_change(
        self, product: str, store: str, delta: int, now: datetime, *, memo: str | None = None
    ) -> str | None:
        """An integration over the older Smaregi API changes the number by a difference: no webhook is sent."""
        return self._trade(
            product,
            store,
            delta,
            Division.API,
            now,
            memo=memo,
            silent=not self.switches.webhook_for_legacy,
        )

    def foreign_api_change(self, product: str, store: str, delta: int, now: datetime, *, memo: str) -> str | None:
        """Another app changes the number by a difference over the Platform API."""
        return self._trade(product, store, delta, Division.API, now, memo=memo)

    def _lay_away(self, product: str, store: str, quantity: int, now: datetime) -> str | None:
        cell = self.cell(product, store)
        if not self.products[cell.product].managed:
            return None
        amount = -quantity if self.switches.layaway_reduces_stock else 0
        return self._tell(self.book(Move(cell, amount, Division.LAYAWAY, layaway=quantity), now), now)

    def _trade(
        self,
        product: str,
        store: str,
        amount: int,
        division: Division,
        now: datetime,
        *,
        memo: str | None = None,
        target: datetime | None = None,
        reference: str = "",
        silent: bool = False,
    ) -> str | None:
        cell = self.cell(product, store)
        if not self.products[cell.product].managed:
            return None
        row = self.book(Move(cell, amount, division, memo=memo, target=target, reference=reference), now)
        return str(row.id) if silent else self._tell(row, now)

    def _tell(self, row: HistoryRow, now: datetime) -> str:
        self.announce_stock([row], now)
        return str(row.id)


def _positive(quantity: int) -> int:
    if quantity <= 0:
        raise ValueError("a quantity is above 0")
    return quantity
