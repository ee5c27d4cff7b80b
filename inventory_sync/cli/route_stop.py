"""`route stop`: stop a route, say which numbers stay where, or tell its channel 0 after a preview."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory_sync.cli import shell
from inventory_sync.engine import overview, previews, routes, stopping
from inventory_sync.engine.lane import House

LINES = 200

_ACTIONS_JA = {"zero": "0 にする", "nothing": "変更なし", "excluded": "対象外"}


def register(app: typer.Typer) -> None:
    """Add the command to the group of route commands."""
    app.command("stop")(stop)


def stop(
    name: Annotated[str, typer.Argument(help="The route's name.")],
    and_zero: Annotated[
        bool, typer.Option("--and-zero", help="Also tell every cell of the channel 0; makes a preview first.")
    ] = False,
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="PREVIEW", help="The preview of --and-zero that you accept.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print it as JSON, with every number that stays where it is.")
    ] = False,
) -> None:
    """Stop a route: nothing more is written until a person starts it again. Says which numbers stay where."""

    async def work(session: shell.Session) -> None:
        if accept is not None and not and_zero:
            english = "--accept goes with --and-zero."
            text = session.say.either("--accept は --and-zero と一緒に指定してください。", english)
            raise shell.Failure("IS-CLI-014", text, shell.Exit.WRONG_USE)
        async with shell.open_house(session.settings) as house:
            await overview.route(house, name)
            if and_zero and accept is None:
                await _preview(session, house, name, as_json)
            elif accept is not None:
                done = await stopping.stop_and_zero(house, name, preview_id=accept, actor=shell.actor())
                _zeroed(session, name, done, as_json)
            else:
                await _stop(session, house, name, as_json)

    shell.run(work)


async def _stop(session: shell.Session, house: House, name: str, as_json: bool) -> None:
    counts = await routes.stop(house, name, actor=shell.actor())
    if as_json:
        numbers = await stopping.numbers_left(house, name)
        left = await stopping.counts_left(house, name)
        session.json({"route": name, "state": "stopped", "counts": counts, "left": left, "numbers": numbers})
        return
    session.line(session.say("route_stopped", route=name))
    if counts.get("open") or counts.get("owed"):
        session.line(session.say("still_open", open=counts["open"], owed=counts["owed"]))
    for each in await stopping.counts_left(house, name):
        session.line("  " + _left(session, each))


def _left(session: shell.Session, each: dict[str, Any]) -> str:
    english = (
        f"{each['location']}: {each['cells']} cells stay as they are, {each['on_sale']} of them on sale with "
        f"{each['units']} units"
    )
    japanese = (
        f"{each['location']}: {each['cells']} セルはそのまま、うち {each['on_sale']} セル {each['units']} 個が販売可能"
    )
    if each["under_way"]:
        english += f"; {each['under_way']} writes are under way and end as they end"
        japanese += f"、送信中 {each['under_way']} 件は結果を待ちます"
    if each["unknown"]:
        english += f"; {each['unknown']} numbers are not known"
        japanese += f"、数が不明 {each['unknown']} 件"
    return session.say.either(japanese, english)


async def _preview(session: shell.Session, house: House, name: str, as_json: bool) -> None:
    made = await stopping.preview_zero(house, name)
    lines = previews.stored(house, made.id)
    if as_json:
        rows = [row async for row in lines]
        shown = [{key: r[key] for key in ("value", "location", "action", "before", "after")} for r in rows]
        about = {"preview": made.id, "route": name, "made_at": made.made_at, "summary": made.summary}
        session.json({**about, "rows": shown})
        return
    table: list[tuple[object, ...]] = []
    async for r in lines:
        if len(table) == LINES:
            break
        action = session.say.either(_ACTIONS_JA.get(r["action"], r["action"]), r["action"])
        table.append((r["value"], r["name"], r["location"], action, r["before"], r["after"]))
    session.table("preview", ("value", "item", "location", "action", "before", "after"), table)
    if made.summary["pairs"] > LINES:
        rest = made.summary["pairs"] - LINES
        session.line(session.say.either(f"ほか {rest} 行は --json で表示します。", f"{rest} more lines: use --json."))
    told, units = made.summary["zero"], -made.summary["units_down"]
    session.line(
        session.say.either(
            f"{told} セル、{units} 個を 0 にして停止します。まだ何も変更していません。実行するには: "
            f"inventory-sync route stop {name} --and-zero --accept {made.id}",
            f"{told} cells with {units} units would be told 0, and the route stopped. Nothing was changed yet. "
            f"To do it: inventory-sync route stop {name} --and-zero --accept {made.id}",
        )
    )


def _zeroed(session: shell.Session, name: str, done: dict[str, Any], as_json: bool) -> None:
    if as_json:
        session.json(done)
        return
    session.line(
        session.say.either(
            f"{name} を停止しました。販売チャネルの {done['zeroed']} セルを 0 にします"
            "(`inventory-sync serve` が書き込みます)。次の開始時は在庫を合わせ直します。",
            f"{name} is stopped; {done['zeroed']} cells of its channel are told 0 by `inventory-sync serve`. The next "
            "start aligns both sides anew.",
        )
    )
