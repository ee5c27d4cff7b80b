"""The rig of the Smaregi adapter: the simulated contract on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from inventory_sync.conformance import Door, Impossible, Mail
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.sandbox.smaregi import SmaregiSimulator, SmaregiSwitches
from inventory_sync.systems.port import CellRef, Client, Condition
from inventory_sync.systems.smaregi import definition
from tests.conformance.bench import START, SimulatorBench

CLIENT_ID, SECRET = "sim-client", "sim-secret-0123456789"
WEBHOOK_HEADER, WEBHOOK_SECRET = "x-kit-secret", "a-webhook-secret-of-32-characters"
SHOP, WAREHOUSE, PAUSED = "1", "2", "3"


class SmaregiRig(SimulatorBench):
    """A contract in production, switches as they are believed to be."""

    definition = definition
    doors: ClassVar[Mapping[Door, str]] = {
        Door.READ: "GET /*/pos/stock",
        Door.CATALOGUE: "GET /*/pos/products",
        Door.WRITE: "POST /*/pos/stock/*/add",
        Door.SIGN_IN: "POST /app/*/token",
    }
    rights = ("pos.stock:read", "pos.stock:write", "pos.products:read", "pos.stores:read")
    contract = "abc123d4"
    switches = SmaregiSwitches()
    usable_location = LocationKey(SHOP)
    unusable_locations = (LocationKey(PAUSED),)

    def __init__(self) -> None:
        self.office = SmaregiSimulator(
            contract=self.contract,
            client_id=CLIENT_ID,
            client_secret=SECRET,
            switches=self.switches,
            notice_delay=0.0,
        )
        super().__init__(self.office)
        self.office.add_store(SHOP, "本店", START)
        self.office.add_store(WAREHOUSE, "倉庫", START, warehouse=True)
        self.office.add_store(PAUSED, "休業中", START)
        self.office.pause_store(PAUSED, START)

    # -- the connection ---

    @property
    def identity_hint(self) -> str:
        return self.contract

    def settings(self, **changes: Any) -> Any:
        base = {
            "contract_id": self.contract,
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "webhook_secret": WEBHOOK_SECRET,
            "webhook_header": WEBHOOK_HEADER,
            "base_url": self.wire.url or None,
        }
        return definition.settings(**(base | changes))

    def clients_with_a_wrong_secret(self) -> Mapping[str, Callable[[], Client]]:
        return {"client_secret": lambda: self.make_client(self.settings(client_secret="another-secret"))}

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return [SECRET, WEBHOOK_SECRET]

    async def withdraw_right(self, right: str) -> None:
        self.office.remove_scope(right)

    async def grant_right(self, right: str) -> None:
        self.office.approve_scope(right)

    async def expire_tokens(self) -> bool:
        self.office.revoke_tokens()
        return True

    async def revoke_credentials(self) -> None:
        self.office.rotate_secret("the-next-secret")
        self.office.revoke_tokens()

    # -- what the contract holds ---

    async def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        levels = list(quantities)
        return [self._cell(each) for each in self._seed(len(levels), initial=lambda number, _: levels[number])]

    async def add_item(self, code: str, field: str) -> ItemKey | Impossible:
        other = {"supplier_product_no": "supplier_no", "group_code": "group"}.get(field)
        own = code if other is None else f"KIT-{self.number():05d}"
        try:
            return ItemKey(self.office.add_product(own, self.now(), **({other: code} if other else {})))
        except ValueError as refused:
            return Impossible(str(refused))

    async def add_bundle(self) -> ItemKey | Impossible:
        return Impossible("Smaregi knows no products whose stock is derived from others")

    async def fill_catalogue(self) -> Sequence[ItemKey]:
        self._seed(1005)
        return [ItemKey(str(each)) for each in self.office.products]

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        match condition:
            case Condition.ABSENT:
                return self._cell(self._seed(1, never_moved=1)[0])
            case Condition.UNTRACKED:
                return self._cell(self._seed(1, unmanaged=1)[0])
            case Condition.GONE:
                (cell,) = await self.stock([6])
                self.shell.act(lambda now: self.office.remove_product(cell.item, now))
                return cell
            case _:
                return await super().odd_cell(condition)

    def unknown_cell(self) -> CellRef:
        return self._cell("7999999")

    async def change(self, cell: CellRef, delta: int) -> None:
        self.shell.act(lambda now: self.office.adjust(cell.item, cell.location, delta, now))

    async def trade(self, cell: CellRef) -> Sequence[tuple[str, int]]:
        item, place, act, office = cell.item, cell.location, self.shell.act, self.office
        act(lambda now: office.sell(item, place, 2, now))
        act(lambda now: office.return_goods(item, place, 1, now))
        act(lambda now: office.receive(item, place, 5, now))
        act(lambda now: office.adjust(item, place, -1, now, memo="破損"))
        act(lambda now: office.transfer(item, place, WAREHOUSE, 4, now))
        act(lambda now: office.layaway(item, place, 1, now))
        act(lambda now: office.bulk_change([(item, place, 3)], now))
        act(lambda now: office.foreign_api_change(item, place, -6, now, memo="is:not one of ours"))
        here = office.stock(item, place) or 0
        act(lambda now: office.count(item, place, here + 7, now))
        causes = "sale return receipt adjustment transfer layaway correction api count"
        return list(zip(causes.split(), (-2, 1, 5, -1, -4, -1, 3, -6, 7), strict=True))

    async def truth(self, cell: CellRef) -> int | None:
        return self.office.stock(cell.item, cell.location)

    async def all_levels(self) -> Mapping[CellRef, int]:
        return {
            CellRef(ItemKey(item), LocationKey(store)): number for (item, store), number in self.office.levels().items()
        }

    # -- notices ---

    def is_awaited(self, mail: Mail) -> bool:
        return mail.headers.get("smaregi-event") == "pos:stock"

    def open_webhooks(self, url: str) -> None:
        self.office.configure_webhook(url, header=WEBHOOK_HEADER, secret=WEBHOOK_SECRET)

    def signed(self, genuine: Mail, body: bytes) -> Mail:
        return Mail(genuine.headers, body)

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        without = {name: value for name, value in genuine.headers.items() if name != WEBHOOK_HEADER}
        return {
            "a stranger's secret": Mail({**without, WEBHOOK_HEADER: "a-webhook-secret-of-a-stranger---"}, genuine.body),
            "the beginning of the secret": Mail({**without, WEBHOOK_HEADER: WEBHOOK_SECRET[:-1]}, genuine.body),
            "another case of the secret": Mail({**without, WEBHOOK_HEADER: WEBHOOK_SECRET.upper()}, genuine.body),
            "no secret": Mail(without, genuine.body),
            "an empty secret": Mail({**without, WEBHOOK_HEADER: ""}, genuine.body),
            "another contract's name": Mail({**genuine.headers, "smaregi-contract-id": "zzz999"}, genuine.body),
        }

    def _seed(self, count: int, **given: Any) -> list[str]:
        codes = [f"KIT-{self.number():05d}" for _ in range(count)]
        return self.office.seed_catalogue(count, self.now(), codes=codes, stores=(SHOP,), **given)

    @staticmethod
    def _cell(item: str) -> CellRef:
        return CellRef(ItemKey(item), LocationKey(SHOP))


class OtherSmaregiRig(SmaregiRig):
    """A contract in Smaregi's own sandbox, with its lower limits, and every open question answered otherwise."""

    contract = "sb_abc123d4"
    switches = SmaregiSwitches(
        reads_per_second=10,
        writes_per_second=4,
        rate_window="fixed",
        retry_after=None,
        unapproved_scope="dropped",
        wrong_contract_status=403,
        half_open_window=True,
        unknown_query="ignored",
        link_header=True,
        history_newest_first=True,
        stock_lag=2.0,
        history_lag=1.0,
        memo_lag=2.0,
        add_answers="delta",
        unmanaged_write="refused",
        paused_store_write="refused",
        layaway_reduces_stock=True,
        webhook_event_id=False,
        webhook_echoes_own=False,
        webhook_for_legacy=True,
    )
