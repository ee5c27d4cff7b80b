"""Finding out what `quantityCalculationType` means at a shop, on one hidden product that the operator names.

No readable document says which value sets a number and which adds to it. So small numbers are written and read back:
nothing is concluded from a write that failed or left a number that neither meaning explains. The product ends with the
number it had; if that cannot be made sure of, the error says what to set it back to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from inventory_sync.model.ids import ItemKey, OpId
from inventory_sync.systems.errors import Bug, InvalidSettings, PartnerError, RetryLater
from inventory_sync.systems.makeshop import documents, problems, protocol, writing
from inventory_sync.systems.makeshop.capabilities import ABSOLUTE_TYPE, BELOW_ZERO, RELATIVE_TYPE, VARIATION_DETAILS
from inventory_sync.systems.makeshop.catalogue import HIDDEN, read_products
from inventory_sync.systems.makeshop.door import Door, understand
from inventory_sync.systems.makeshop.keys import Item, item_of
from inventory_sync.systems.makeshop.quantities import read_quantities
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.makeshop.writing import Calculation
from inventory_sync.systems.port import (
    Calibration,
    CalibrationStep,
    ClientContext,
    Condition,
    PlannedOp,
    Rejected,
    WriteMode,
)
from inventory_sync.systems.serial import READ, WRITE

LARGEST = 1_000_000  # pieces of the product; a calibration needs few, and a wrong guess must stay small
PATIENCE = 120.0  # seconds one request waits in all for its turn
FIRST_TYPE, SECOND_TYPE = 1, 0  # 1 with a quantity of 0 is harmless in every likely meaning, so it goes first

Pause = Callable[[float], Awaitable[None]]
T = TypeVar("T")

_log = structlog.get_logger(__name__)


async def calibrate(
    settings: MakeShopSettings, context: ClientContext, item: ItemKey, *, pause: Pause = asyncio.sleep
) -> Calibration:
    """What the two types mean, proven on `item` (a hidden product, or a variation of one, with limited stock).

    Nobody else may use the connection meanwhile: requests go one at a time. Raises InvalidSettings where the item
    cannot serve (nothing was written then), and PartnerError where it ended halfway.
    """
    named = item_of(item)
    if named is None:
        raise _unfit(f"{item!r} names no product or variation", f"「{item}」は商品でもバリエーションでもありません")
    bench = _Bench(settings, context, named, pause)
    await bench.open()
    _log.info("makeshop.calibration_started", item=item, original=bench.original)
    try:
        await bench.first_type()
        await bench.second_type()
        await bench.below_zero()
        await bench.restore()
    except BaseException as error:
        _log.error("makeshop.calibration_cut", item=item, set_back_to=bench.original)
        if not isinstance(error, PartnerError):
            raise
        cut = problems.CALIBRATION_CUT
        text = f"{item}, set back to {bench.original} ({error.message}). {cut.remedy_en}"
        raise PartnerError(cut.text(text), code=cut.code) from error
    _log.info("makeshop.calibrated", item=item, **bench.found)
    return Calibration(tuple(bench.steps), dict(bench.found))


class _Bench:
    """The product on trial, what was done to it, and what that showed."""

    def __init__(self, settings: MakeShopSettings, context: ClientContext, item: Item, pause: Pause) -> None:
        self._settings = settings
        self._door = Door(settings, context)
        self._new_id = context.ambient.new_id
        self._item = item
        self._pause = pause
        self._details = settings.variation_details
        self._now_shows: int | None = None
        self.original = 0
        self.steps: list[CalibrationStep] = []
        self.found: dict[str, str] = {}

    async def open(self) -> None:
        """Make sure that the product can serve, and note its number. Raises InvalidSettings where it cannot."""
        one = protocol.products_page(1, self._settings.page_limit, (self._item.product,))
        listed = await self._patiently(lambda: self._door.ask(READ, documents.PRODUCTS, one, read_products))
        same = [each for each in listed.items if each.key == self._item.key]
        if not same:
            raise _unfit(
                f"{self._item.key} is not in the shop, or has no number of its own",
                f"{self._item.key} がショップにないか、この商品だけの在庫数がありません",
            )
        if not same[0].tracked:
            raise _unfit(f"{self._item.key}: {same[0].status}", f"{self._item.key} の在庫数は管理されていません")
        if same[0].status != HIDDEN:
            raise _unfit(f"{self._item.key} is on sale", f"{self._item.key} は販売中です")
        number = await self._read()
        if number is None or not 1 <= number <= LARGEST:
            raise _unfit(
                f"the stock of {self._item.key} is {'not limited' if number is None else number}",
                f"{self._item.key} の在庫数は{'無制限' if number is None else number}です",
            )
        self.original = number
        self._tell(
            f"Read the hidden product. If this ends halfway, set its stock back to {number}",
            f"非公開の商品を確認しました。途中で終わった場合は在庫数を{number}に戻してください",
            str(number),
        )

    async def first_type(self) -> None:
        """0 changes nothing where the type adds; 1 and -1 then prove that it does."""
        shown = await self._try(FIRST_TYPE, 0)
        if shown == 0:
            await self._absolute(FIRST_TYPE)
        elif shown == self.original:
            shown = await self._try(FIRST_TYPE, 1)
            if shown == self.original + 1:
                await self._relative(FIRST_TYPE, back=-1, to=self.original)
            elif shown == 1 and self.original != 1:
                await self._absolute(FIRST_TYPE)

    async def second_type(self) -> None:
        """A number that the product does not show is set, or is added to the one it shows."""
        before = self._now_shows
        if not before:
            return  # 0 and not limited tell the two meanings apart in no case
        number = 7 if before != 7 else 8
        shown = await self._try(SECOND_TYPE, number)
        if shown == number:
            await self._absolute(SECOND_TYPE)
        elif shown == before + number:
            await self._relative(SECOND_TYPE, back=-number, to=before)

    async def below_zero(self) -> None:
        """What happens below 0, asked only where the number can be set again afterwards, whatever it became."""
        relative, absolute = self.found.get(RELATIVE_TYPE), self.found.get(ABSOLUTE_TYPE)
        if relative is None or absolute is None:
            return
        await self.restore()
        shown = await self._try(int(relative), -(self.original + 1))
        told = {-1: "allowed", 0: "cut_off", self.original: "refused", None: "unlimited"}.get(shown)
        if told is not None:
            self.found[BELOW_ZERO] = told
        await self.restore()

    async def restore(self) -> None:
        """Give the product its number back. Raises PartnerError where it does not show it afterwards."""
        if self._now_shows == self.original:
            return
        if ABSOLUTE_TYPE in self.found:
            await self._try(int(self.found[ABSOLUTE_TYPE]), self.original)
        elif RELATIVE_TYPE in self.found and self._now_shows is not None:
            await self._try(int(self.found[RELATIVE_TYPE]), self.original - self._now_shows)
        if self._now_shows != self.original:
            raise PartnerError(f"the product shows {self._now_shows}", code=problems.CALIBRATION_CUT.code)

    async def _absolute(self, code: int) -> None:
        """The type set a number: it is used to give the product its own back, which proves it twice."""
        self.found.setdefault(ABSOLUTE_TYPE, str(code))
        await self.restore()

    async def _relative(self, code: int, *, back: int, to: int) -> None:
        """The type added a number. It counts only if it takes it away again as well."""
        if await self._try(code, back) == to:
            self.found.setdefault(RELATIVE_TYPE, str(code))

    async def _try(self, code: int, quantity: int) -> int | None:
        """Write, and read what the product shows then; a refusal by MakeShop is noted and changes nothing."""
        refusal = await self._write(code, quantity)
        await self._pause(self._settings.read_lag_seconds)
        shown = await self._read()
        self._tell(
            f"Sent quantityCalculationType {code} with quantity {quantity}",
            f"quantityCalculationType {code}、quantity {quantity} を送信しました",
            ("null" if shown is None else str(shown)) + (f" ({refusal})" if refusal else ""),
        )
        return shown

    async def _write(self, code: int, quantity: int) -> str:
        """Why the write was refused; empty where it was carried out."""
        try:
            said = await self._send(code, quantity)
        except Bug as error:
            if self._item.variation is None or VARIATION_DETAILS in self.found:
                return error.message
            # It may have been the form of the variation's details that was refused, not the number.
            before, self._details = self._details, "object" if self._details == "list" else "list"
            try:
                said = await self._send(code, quantity)
            except Bug:
                self._details = before
                return error.message
        if self._item.variation is not None:
            self.found[VARIATION_DETAILS] = self._details
        return said

    async def _send(self, code: int, quantity: int) -> str:
        mode = WriteMode.ABSOLUTE if quantity >= 0 else WriteMode.RELATIVE
        ops = [PlannedOp(OpId(self._new_id()), self._item.cell, quantity, quantity)]
        prepared = writing.compose(ops, ops[0].op, Calculation(mode, code, self._details))
        document = writing.document_of(ops)
        answer = await self._patiently(lambda: self._door.exchange(WRITE, document, prepared.body), writes=True)
        outcome = understand(document, lambda: writing.outcomes(ops, answer))[ops[0].op]
        return outcome.reason if isinstance(outcome, Rejected) else ""

    async def _read(self) -> int | None:
        one = protocol.products_page(1, self._settings.page_limit, (self._item.product,))
        found = await self._patiently(lambda: self._door.ask(READ, documents.QUANTITIES, one, read_quantities))
        readings = [each.reading(self._item) for each in found if each.product == self._item.product]
        reading = readings[0] if len(readings) == 1 else None
        if reading is None or reading.condition is Condition.GONE:
            raise PartnerError(f"{self._item.key} shows no stock any more", code=problems.CALIBRATION_CUT.code)
        self._now_shows = reading.quantity
        return reading.quantity

    async def _patiently(self, ask: Callable[[], Awaitable[T]], *, writes: bool = False) -> T:
        """What a request brings when its turn comes. A write that may have been carried out is not repeated."""
        waited = 0.0
        while True:
            try:
                return await ask()
            except RetryLater as error:
                if waited >= PATIENCE or (writes and error.executed is not False):
                    raise
                waited += error.after
                await self._pause(error.after)

    def _tell(self, did_en: str, did_ja: str, saw: str) -> None:
        self.steps.append(CalibrationStep(did_en, did_ja, saw))


def _unfit(particulars: str, japanese: str) -> InvalidSettings:
    problem = problems.CALIBRATION_REFUSED
    return InvalidSettings(
        problem.text(particulars),
        field="item",
        remedy=problem.remedy_en,
        code=problem.code,
        message_ja=problem.text_ja(japanese),
        remedy_ja=problem.remedy_ja,
    )
