"""`brake`, `route stocktake`, `route count` and `quarantine`, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_sync.store.db import Pool
from tests.cli.surroundings import FAILED, REFUSED, WRONG_USE, Terminal, _clean
from tests.engine.bench import Setup, furnish

__all__ = ["_clean"]


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    """A terminal on the database of a house where something is held."""

    async def live(pool: Pool) -> None:
        bench = await furnish(pool, Setup(codes=("A-1", "B-2"), ledger=10))
        await bench.align()
        bench.move_ledger("A-1", 5000)
        await bench.rest()
        await bench.tasks.kill()

    made = Terminal(database, tmp_path)
    made.on_pool(live)
    return made


def test_what_is_held_is_shown_and_let_go(terminal: Terminal) -> None:
    shown = terminal.run("brake", "show").stdout
    assert "A-1" in shown
    assert "5010" in shown
    [held] = terminal.json("brake", "show")["held"]
    assert (held["route"], held["side"], held["units"], held["before"]) == ("pos-shop", "ledger", 5000, 10)
    assert "急な変動" in terminal.run("brake", "show", language="ja").stdout

    terminal.run("brake", "release", expect=WRONG_USE)
    terminal.run("brake", "release", "pos-shop", "--all", expect=WRONG_USE)
    terminal.run("brake", "release", "pos-shop", "--for", "soon", expect=WRONG_USE)
    terminal.run("brake", "release", "pos-shop", "--for", "25h", expect=REFUSED)
    terminal.run("brake", "release", "elsewhere", expect=FAILED)
    assert len(terminal.json("brake", "show")["held"]) == 1, "nothing was changed"

    seen = terminal.json("brake", "show")["seen"]
    assert f"brake release ROUTE --seen {seen}" in terminal.run("brake", "show").stdout
    older = terminal.run("brake", "release", "pos-shop", "--seen", str(seen - 1)).stdout
    assert "1 movements came after what you saw and stay held" in older
    [done] = terminal.json("brake", "release", "--all", "--for", "30m", "--seen", str(seen))["released"]
    assert (done["route"], done["movements"], done["codes"]) == ("pos-shop", 1, ["A-1"])
    after = terminal.json("brake", "show")
    assert after["held"] == []
    assert list(after["off"]) == ["pos-shop"]
    assert "is off until" in terminal.run("brake", "show").stdout
    *_, entry = terminal.rows("select actor from audit where action = 'brake.released' order by id")
    assert entry["actor"].startswith("cli")
    assert terminal.json("brake", "release", "--all")["released"] == []


def test_a_long_list_of_what_is_held_says_how_much_more_there_is(terminal: Terminal) -> None:
    terminal.rows(
        "insert into holds (route_id, cell_id, reason, movement_id, units, held_at) "
        "select route_id, cell_id, reason, movement_id, 1, held_at from holds, generate_series(1, 250) returning id"
    )
    shown = terminal.run("brake", "show").stdout
    assert "51 more lines: use --lines or --json" in shown
    assert shown.count("Product A-1") == 200
    few = terminal.run("brake", "show", "--lines", "2", language="ja").stdout
    assert "ほか 249 行は --lines または --json" in few
    assert few.count("Product A-1") == 2
    none, everything = terminal.run("brake", "show", "--lines", "0").stdout, terminal.json("brake", "show")
    assert len(everything["held"]) == 251
    assert "251 movements are held. To let go these and nothing younger: " in none
    assert f"--seen {everything['seen']}" in none, "the number stands for all of them, listed or not"
    assert "more lines" not in terminal.run("brake", "show", "--lines", "251").stdout


def test_a_stock_take_begins_shows_and_ends(terminal: Terminal) -> None:
    terminal.run("route", "stocktake", "pos-shop", "end", "--accept", expect=REFUSED)
    terminal.run("route", "stocktake", "pos-shop", "begin", expect=WRONG_USE)
    terminal.run("route", "stocktake", "pos-shop", "show", "--accept", expect=WRONG_USE)
    assert "stock-take since" in terminal.run("route", "stocktake", "pos-shop", "start").stdout
    terminal.run("route", "stocktake", "pos-shop", "start", expect=REFUSED)
    assert "--accept" in terminal.run("route", "stocktake", "pos-shop", "end").stdout
    assert terminal.json("route", "stocktake", "pos-shop", "show")["cells"] == []
    done = terminal.json("route", "stocktake", "pos-shop", "end", "--accept")
    figures = {"released": 0, "left_held": 0, "settled_units": 0, "younger": 0, "codes": []}
    assert done == {"route": "pos-shop"} | figures, "where nothing is held, there is nothing to have seen"
    assert "棚卸中ではありません" in terminal.run("route", "stocktake", "pos-shop", "show", language="ja").stdout


def test_the_end_of_a_stock_take_names_what_was_seen(terminal: Terminal) -> None:
    terminal.run("route", "stocktake", "pos-shop", "start")
    terminal.rows("update holds set reason = 'stocktake' returning id")
    terminal.run("route", "stocktake", "pos-shop", "end", "--seen", "1", expect=WRONG_USE)
    for language in ("en", "ja"):
        refused = terminal.run("route", "stocktake", "pos-shop", "end", "--accept", expect=REFUSED, language=language)
        assert "inventory-sync route stocktake pos-shop end --accept --seen" in refused.stderr
    seen = terminal.json("route", "stocktake", "pos-shop", "end")["seen"]
    shown = terminal.run("route", "stocktake", "pos-shop", "end").stdout
    assert f"inventory-sync route stocktake pos-shop end --accept --seen {seen} " in shown
    terminal.rows(
        "with h as (insert into holds (route_id, cell_id, reason, movement_id, units, held_at) "
        "select route_id, cell_id, reason, movement_id, 2, held_at from holds returning cell_id) "
        "update cells set held_back = held_back + 2 where id in (select cell_id from h) returning id"
    )
    done = terminal.run("route", "stocktake", "pos-shop", "end", "--accept", "--seen", str(seen)).stdout
    assert "1 movements told on, 1 cells stay held" in done
    assert "Told on: A-1" in done
    assert "1 movements came after what you saw and stay held" in done
    assert [each["units"] for each in terminal.json("brake", "show")["held"]] == [2]
    everything = terminal.run("brake", "release", "pos-shop").stdout
    assert "Told on: A-1" in everything, "without a number all goes, and it is said what went"
    assert terminal.json("brake", "show")["held"] == []


def test_a_count_settles_and_a_cell_is_kept_out(terminal: Terminal) -> None:
    terminal.run("route", "count", "pos-shop", "B-2", expect=REFUSED)
    terminal.run("route", "count", "pos-shop", "Z-9", expect=FAILED)
    terminal.rows("update pairs set uncertain = 3 where value = 'B-2' returning id")
    assert terminal.json("route", "count", "pos-shop", "B-2")["settled_units"] == 3

    [pair] = terminal.rows("select channel_cell from pairs where value = 'B-2'")
    cell = str(pair["channel_cell"])
    assert terminal.json("quarantine", "exclude", cell)["excluded"] == [int(cell)]
    english, japanese = (terminal.run("quarantine", "list", language=each).stdout for each in ("en", "ja"))
    assert "a person keeps it out" in english
    assert "人が対象外にしました" in japanese
    assert "person" not in japanese
    assert "B-2" in english, "the code, as a name alone may stand for several variants"
    terminal.run("quarantine", "retry", cell, expect=REFUSED)
    assert terminal.json("quarantine", "retry", "--all")["released"] == [], "what a person keeps out stays out"
    terminal.run("quarantine", "exclude", "999999", expect=FAILED)
    assert len(terminal.json("quarantine", "release", cell)["released"]) == 1
    assert terminal.json("quarantine", "list")["cells"] == []


def test_what_runs_away_is_let_in_by_name_only(terminal: Terminal) -> None:
    [pair] = terminal.rows(
        "with q as (insert into quarantine (cell_id, code, reason, since) "
        "select channel_cell, 'IS-SAF-001', 'its movements grow from each to the next', now() from pairs "
        "where value = 'B-2' returning cell_id) "
        "update cells set quarantined = true where id in (select cell_id from q) or id in "
        "(select channel_cell from pairs where value = 'B-2') returning id as channel_cell"
    )
    assert "暴走" in terminal.run("quarantine", "list", language="ja").stdout
    assert terminal.json("quarantine", "retry", "--all")["released"] == [], "no partner refused it"
    assert len(terminal.json("quarantine", "release", str(pair["channel_cell"]))["released"]) == 1
