"""What is said of a code without a number: an item that is in no pair, a code that nobody has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inventory_sync.engine.explain.causes import OF_LACK, Cause
from inventory_sync.engine.explain.finding import Finding, finding, order_names
from inventory_sync.engine.explain.state import Lack, Link, Nearest, Unpaired
from inventory_sync.engine.explain.texts import say
from inventory_sync.engine.explain.words import TWICE
from inventory_sync.model.difference import visible


def judge_unpaired(item: Unpaired) -> Finding:
    """Why an item is in no pair of a route."""
    cause, near = OF_LACK[item.lack], item.near[0] if item.near else None
    there = item.lack in (Lack.OTHER_BUNDLE, Lack.OTHER_UNTRACKED)
    where: Link = item.there if there else item.here
    code = visible(item.value)
    found = finding(
        cause,
        code=(f"「{code}」", f'"{code}"'),
        where=where.name,
        other=item.there.name,
        item=item.item or code,
        route=item.route.name,
        fields=", ".join(item.fields),
        why=TWICE.get(item.why, TWICE["twice_on_both"]),
        near=("", "") if near is None else (f"「{visible(near.code)}」", f'"{visible(near.code)}"'),
        detail=(item.ja, item.en) if near is None else (near.ja, near.en),
    )
    if not item.waiting:
        return found
    units, orders = sum(each.units for each in item.waiting), order_names(item.waiting)
    ja = f"{found.ja}この商品の注文 {orders} ({units} 個) は、紐付くまで保管しています。"
    return replace(found, ja=ja, en=f"{found.en} Its orders are kept until then: {orders} ({units} units).")


def unknown_code(code: str, nearest: Iterable[Nearest]) -> Finding:
    """What is said of a code that nobody has, with the codes that it may be meant to be."""
    shown = visible(code)
    ja, en = say(Cause.UNKNOWN_CODE, code=(f"「{shown}」", f'"{shown}"'))
    names = [(visible(each.code), each.connection) for each in nearest]
    if names:
        ja += "近いコード: " + "、".join(f"「{near}」({where})" for near, where in names) + "。"
        en += " The nearest are " + ", ".join(f'"{near}" ({where})' for near, where in names) + "."
    return Finding(Cause.UNKNOWN_CODE, ja, en)
