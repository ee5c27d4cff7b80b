"""How a channel's number comes about: the ledger's numbers, and every step from them to the number that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inventory_sync.engine.explain.state import Number, Part
from inventory_sync.model.publish import published


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is added (`change`, signed units; None for a number to begin with) and what it comes to."""

    en: str
    ja: str
    change: int | None
    result: int


def steps(number: Number) -> tuple[Step, ...]:
    """The steps from the ledger to the target of a channel cell; empty while a ledger number is not known."""
    if number.effective is None or number.decision.target is None:
        return ()
    found: list[Step] = []
    for part in number.parts:
        found += _of_part(part, number)
    if number.shape == "set":
        found.append(Step("sets that can be made of them", "作れるセット数", None, number.effective))
    elif len(number.parts) > 1:
        found.append(Step("together", "合計", None, number.effective))
    return (*found, *_of_rule(number, number.effective))


def _of_part(part: Part, number: Number) -> list[Step]:
    cell = part.cell
    units = part.shown or 0
    plain = units + cell.held_back + (cell.aside if number.route.basis == "stock_minus_layaway" else 0)
    found = [Step(f"ledger {cell.place}", f"台帳 {cell.place}", None, plain)]
    if number.route.basis == "stock_minus_layaway":
        _add(found, "laid away", "取り置き", -cell.aside)
    _add(found, "held back", "保留中の変動", -cell.held_back)
    expected = -part.expected * part.ratio
    committed = -number.cell.committed * part.ratio if number.route.basis == "on_hand" and part.intake else 0
    _add(found, "sold, not yet booked in the ledger", "売上の計上待ち", expected)
    _add(found, "ordered, not yet shipped", "受注済み・未出荷", committed)
    on_its_way = part.pending_down - expected - committed
    _add(found, "sold elsewhere, on its way to the ledger", "台帳へ反映中の売上", on_its_way)
    _add(found, "raised here, on its way to the ledger", "台帳へ反映中の増加", part.own_up)
    if part.ratio > 1:
        quotient = found[-1].result // part.ratio
        found.append(Step(f"÷ {part.ratio} for each set", f"÷ {part.ratio} (1 セットあたり)", None, quotient))
    return found


def _add(found: list[Step], english: str, japanese: str, change: int) -> None:
    if change:
        found.append(Step(english, japanese, change, found[-1].result + change))


def _of_rule(number: Number, units: int) -> list[Step]:
    """From the effective quantity to the target, in the order of the publish rule."""
    rule, base = number.rule, Step("", "", None, units)
    if rule.excluded:
        return [Step("left out, stays as it is", "対象外のためそのまま", None, number.decision.target or 0)]
    found = [base]
    if rule.percent != 100:
        _add(found, f"{rule.percent} percent of it", f"{rule.percent} パーセント", units * rule.percent // 100 - units)
    automatic = number.ruled.automatic
    _add(
        found,
        "automatic buffer" if automatic else "buffer",
        "自動の安全在庫" if automatic else "安全在庫",
        -rule.buffer,
    )
    if rule.maximum is not None and found[-1].result > rule.maximum:
        _add(found, f"cap {rule.maximum}", f"上限 {rule.maximum}", rule.maximum - found[-1].result)
    _add(found, "offset", "加減", number.offset)
    _add(found, "kept from the start", "開始時に残した差", number.kept)
    _add(found, "orders that do not count yet", "未確定の注文", -number.held)
    if found[-1].result < 0:
        _add(found, "never below zero", "0 より下にはしない", -found[-1].result)
    if found[-1].result <= rule.end_when:
        _add(found, f"ends at {rule.end_when}", f"終了数 {rule.end_when} 以下", -found[-1].result)
    _add(found, "changes held back here", "ここで保留中の変動", number.cell.held_back)
    if found[-1].result < 0:
        _add(found, "never below zero", "0 より下にはしない", -found[-1].result)
    return found[1:]


def ended(number: Number) -> bool:
    """Whether a number is told as 0 because no more than the end of its publish rule is left."""
    units, rule = number.effective, number.rule
    if units is None or not rule.end_when or rule.excluded:
        return False
    without = published(units, replace(rule, end_when=0), kept=number.kept, held=number.held)
    return 0 < without <= rule.end_when


def line(made: Sequence[Step]) -> tuple[str, str]:
    """The steps in one line, in Japanese and English.

    >>> line([Step("ledger", "台帳", None, 10), Step("buffer", "安全在庫", -2, 8)])[1]
    'ledger: 10 − buffer 2 = 8'
    """
    if not made:
        return "", ""
    return _line([(step, step.ja) for step in made]), _line([(step, step.en) for step in made])


def _line(made: Sequence[tuple[Step, str]]) -> str:
    words = []
    for at, (step, label) in enumerate(made):
        if step.change is None:
            words.append(f"{'; ' if at else ''}{label}: {step.result}")
        else:
            words.append(f" {'−' if step.change < 0 else '+'} {label} {abs(step.change)}")
    last = made[-1][0]
    return "".join(words) + (f" = {last.result}" if last.change is not None else "")
