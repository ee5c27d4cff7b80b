"""What can be wrong with an adapter, and which behaviours have to notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory_sync.systems.port import Calibration, CellRef
from tests.conformance.makeshop_classic_rig import ClassicRig
from tests.conformance.makeshop_rig import MakeShopRig, OtherMakeShopRig, RelativeMakeShopRig
from tests.conformance.saboteurs import (
    BelievesEveryNotice,
    BlamesEveryRow,
    ComposesAnewEachTime,
    CountsAThrottleAsDone,
    HidesCancelledOrders,
    KeepsTheSecret,
    KeepsTheTime,
    KnowsNoDebts,
    LooksASecondTooShort,
    MendsCodes,
    NamesProductsByTheirOwnCode,
    NumbersLinesAnew,
    NumbersNotices,
    ReadsErrorsAsZero,
    ReadsNothingAsZero,
    ReadsOnePage,
    ReadsOnePageOfOrders,
    Saboteur,
    SendsWhateverNumber,
    StartsAfreshAfterAnError,
    StopsAtAShortPage,
    TakesAnErrorForNoOrders,
    TakesAnErrorForTheEnd,
    TakesEveryOrderForPaid,
    TakesSilenceForANo,
    TakesSilenceForAYes,
    TakesWhatThereIsOfAFile,
    WritesAbsoluteNumbers,
    WritesOneGroupOnly,
    WritesTwice,
    swapped,
)
from tests.conformance.shopify_rig import ShopifyRig
from tests.conformance.smaregi_rig import OtherSmaregiRig, SmaregiRig


@dataclass(frozen=True)
class Plot:
    """A broken adapter, and the behaviours it cannot show."""

    rig: type[Any]
    caught_by: tuple[str, ...]
    client: type[Saboteur] | None = None
    parser: Any = None
    files: Any = None
    calibration: Callable[[Calibration], Calibration] | None = None
    units_left_behind: int = 0  # by a calibration
    settings: Mapping[str, object] | None = None


PLOTS = {
    "writes twice": Plot(
        SmaregiRig,
        ("a_write_takes_effect_once", "a_write_commutes_with_trade", "history_shows_a_double_effect"),
        WritesTwice,
    ),
    "takes silence for a no": Plot(
        SmaregiRig,
        ("a_lost_answer_leaves_doubt", "a_lost_request_leaves_doubt", "a_late_write_leaves_doubt"),
        TakesSilenceForANo,
    ),
    "takes silence for a yes": Plot(
        ShopifyRig, ("a_lost_answer_leaves_doubt", "a_key_ends_doubt_about_a_lost_request"), TakesSilenceForAYes
    ),
    "counts a throttle as done": Plot(ShopifyRig, ("a_throttled_write_waits",), CountsAThrottleAsDone),
    "composes anew each time (key)": Plot(
        ShopifyRig,
        ("a_key_makes_a_repeat_harmless", "a_key_ends_doubt_about_a_lost_answer", "a_key_covers_a_late_landing"),
        ComposesAnewEachTime,
    ),
    "composes anew each time (history)": Plot(
        SmaregiRig, ("history_shows_a_double_effect", "history_ends_doubt_about_a_lost_answer"), ComposesAnewEachTime
    ),
    "writes absolute numbers": Plot(ShopifyRig, ("a_write_commutes_with_trade",), WritesAbsoluteNumbers),
    "keeps the secret": Plot(SmaregiRig, ("composing_is_repeatable",), KeepsTheSecret),
    "keeps the time": Plot(ShopifyRig, ("composing_is_repeatable",), KeepsTheTime),
    "blames every row": Plot(ShopifyRig, ("one_bad_row_is_found",), BlamesEveryRow),
    "reads nothing as zero": Plot(
        ShopifyRig,
        ("an_absent_cell_is_told", "an_inactive_cell_is_told", "an_untracked_cell_is_told", "a_gone_cell_is_told"),
        ReadsNothingAsZero,
    ),
    "reads errors as zero": Plot(
        SmaregiRig,
        ("a_bad_answer_is_no_number", "an_unanswered_read_is_given_up", "a_throttled_read_waits"),
        ReadsErrorsAsZero,
    ),
    "knows no debts": Plot(ShopifyRig, ("a_read_tells_the_truth",), KnowsNoDebts),
    "mends codes": Plot(SmaregiRig, ("codes_are_exact",), MendsCodes),
    "reads one page": Plot(ShopifyRig, ("the_catalogue_is_complete",), ReadsOnePage),
    "takes an error for the end": Plot(
        SmaregiRig, ("a_bad_page_does_not_shorten_the_catalogue",), TakesAnErrorForTheEnd
    ),
    "believes every notice": Plot(ShopifyRig, ("a_forged_notice_is_refused",), parser=BelievesEveryNotice),
    "numbers notices": Plot(SmaregiRig, ("a_repeated_notice_keeps_its_id",), parser=NumbersNotices),
    "adds where it means to set": Plot(
        MakeShopRig,
        ("a_write_sets_its_number", "a_write_takes_effect_once", "an_order_at_the_instant_of_a_write_is_listed"),
        settings={"quantity_calculation": {"absolute": 1}},
    ),
    "stops at a short page": Plot(OtherMakeShopRig, ("the_catalogue_is_complete",), StopsAtAShortPage),
    "sends whatever number": Plot(MakeShopRig, ("a_number_has_to_be_one",), SendsWhateverNumber),
    "writes one group only": Plot(ClassicRig, ("groups_are_written_apart",), WritesOneGroupOnly),
    "reads what cannot be read": Plot(ClassicRig, ("an_unreadable_cell_is_told",), ReadsNothingAsZero),
    "takes silence for a no (numbers)": Plot(
        ClassicRig, ("a_lost_answer_leaves_doubt", "a_number_ends_doubt"), TakesSilenceForANo
    ),
    "takes silence for a no (orders)": Plot(
        RelativeMakeShopRig, ("number_and_orders_end_doubt", "a_late_write_leaves_doubt"), TakesSilenceForANo
    ),
    "reads one page of orders": Plot(
        OtherMakeShopRig, ("every_order_is_listed_once", "orders_may_come_while_pages_turn"), ReadsOnePageOfOrders
    ),
    "hides cancelled orders": Plot(
        MakeShopRig,
        ("a_cancel_with_restock_stays", "a_cancel_without_restock_stays", "line_ids_are_stable"),
        HidesCancelledOrders,
    ),
    "takes every order for paid": Plot(ClassicRig, ("an_order_says_whether_it_is_paid",), TakesEveryOrderForPaid),
    "numbers lines anew": Plot(
        ClassicRig,
        ("line_ids_are_stable", "a_shipped_order_stays", "an_edited_order_shows_its_units"),
        NumbersLinesAnew,
    ),
    "names products in its own way": Plot(
        MakeShopRig, ("orders_name_cells_of_the_catalogue",), NamesProductsByTheirOwnCode
    ),
    "takes an error for no orders": Plot(MakeShopRig, ("a_bad_answer_hides_no_order",), TakesAnErrorForNoOrders),
    "looks a second too short": Plot(ClassicRig, ("an_order_at_the_edge_is_found",), LooksASecondTooShort),
    "starts afresh after an error": Plot(
        MakeShopRig, ("an_unanswered_request_is_waited_for",), StartsAfreshAfterAnError
    ),
    "takes what there is of a file": Plot(
        ClassicRig, ("a_cut_file_is_refused_whole", "another_layout_waits_for_a_person"), files=TakesWhatThereIsOfAFile
    ),
    "finds the opposite": Plot(
        MakeShopRig, ("a_calibration_finds_the_truth", "what_was_found_is_used"), calibration=swapped
    ),
    "leaves its mark": Plot(MakeShopRig, ("a_calibration_leaves_everything_as_it_was",), units_left_behind=1),
    "stands in no line": Plot(
        MakeShopRig,
        ("a_crowd_stands_in_line", "fast_writes_overstep_nothing", "every_order_is_listed_once"),
        settings={"requests_per_second": 20},
    ),
    "is too fast": Plot(
        OtherSmaregiRig,
        ("fast_writes_overstep_nothing", "fast_reads_overstep_nothing"),
        settings={"reads_per_second": 500, "writes_per_second": 500},
    ),
}


def sabotaged(plot: Plot) -> Any:
    """A rig whose adapter is broken as plotted."""

    class Sabotaged(plot.rig):  # type: ignore[name-defined,misc]
        def settings(self, **changes: Any) -> Any:
            return super().settings(**{**(plot.settings or {}), **changes})

        def make_client(self, settings: Any, **given: Any) -> Any:
            client = super().make_client(settings, **given)
            return plot.client(client, self) if plot.client else client

        def fresh_client(self) -> Any:
            return super().make_client(self.settings())

        def file_catalogue(self) -> Any:
            return plot.files(super().file_catalogue()) if plot.files else super().file_catalogue()

        async def calibrate(self, cell: CellRef) -> Calibration:
            made: Calibration = await super().calibrate(cell)
            if plot.units_left_behind:
                await self.change(cell, plot.units_left_behind)
            return plot.calibration(made) if plot.calibration else made

        def parser(self) -> Any:
            return plot.parser(super().parser(), self) if plot.parser else super().parser()

    return Sabotaged()
