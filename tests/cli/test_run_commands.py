"""`route preview|push|undo` and `run …` at a terminal: what is printed, what it leads to, and what is refused."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from inventory_sync.engine.runs import keeping
from tests.cli.surroundings import DONE, FAILED, REFUSED, Terminal, _surroundings, terminal
from tests.engine.apply_support import RUNNING, Desk

__all__ = ["_surroundings", "terminal"]


def test_a_push_is_previewed_accepted_followed_stopped_and_resumed(terminal: Terminal) -> None:
    terminal.started()
    [alignment] = [r for r in terminal.json("run", "list")["runs"] if r["kind"] == "push"]
    assert alignment["state"] == "running"
    assert alignment["total"] == 2
    terminal.run("run", "stop", str(alignment["id"]))
    shown = terminal.run("route", "push", "pos-shop", "--from", "ledger").stdout
    assert "route push pos-shop --from ledger --accept" in shown
    made = terminal.json("route", "push", "pos-shop", "--from", "ledger")
    assert made["summary"]["source"] == "ledger"
    assert [row["gap"] for row in made["rows"]] == [row["after"] - row["before"] for row in made["rows"]]
    run = terminal.json("route", "push", "pos-shop", "--from", "ledger", "--accept", made["preview"])
    assert run["total"] == 2
    again = terminal.run("route", "push", "pos-shop", "--from", "ledger", "--accept", made["preview"], expect=REFUSED)
    assert "IS-RTE-003" in again.stderr

    view = terminal.json("run", "show", str(run["run"]))
    assert (view["kind"], view["state"], view["total"], view["route"]) == ("push", "running", 2, "pos-shop")
    assert "IS-RUN-006" in terminal.run("route", "undo", str(run["run"]), expect=REFUSED).stderr
    assert terminal.json("run", "stop", str(run["run"]))["state"] == "stopped"
    assert "IS-RUN-010" in terminal.run("run", "stop", str(run["run"]), expect=REFUSED).stderr
    assert terminal.json("run", "show", str(run["run"]))["not_written"][0]["state"] == "proposed"
    assert "running, 0 / 2 done" in terminal.run("run", "resume", str(run["run"])).stdout
    assert "IS-RUN-011" in terminal.run("run", "resume", str(run["run"]), expect=REFUSED).stderr


def test_runs_are_told_in_japanese_too(terminal: Terminal) -> None:
    terminal.started()
    [alignment] = [r for r in terminal.json("run", "list")["runs"] if r["kind"] == "push"]
    assert "毎秒" in terminal.run("run", "show", str(alignment["id"]), INVENTORY_SYNC_LANGUAGE="ja").stdout
    terminal.run("route", "stop", "pos-shop")
    for words in (("run", "show", str(alignment["id"])), ("run", "list")):
        shown = terminal.run(*words, INVENTORY_SYNC_LANGUAGE="ja").stdout
        assert "一括反映" in shown
        assert "ルートを停止しました" in shown
        assert "the route" not in shown
        assert "毎秒" not in shown, "a run that stands has no pace"
    assert "push" in terminal.run("run", "list").stdout


def written(terminal: Terminal, run: int, moved: int) -> None:
    """A service wrote each cell of this run; here nobody serves the route."""
    terminal.on_pool(
        lambda pool: pool.execute("update run_rows set state = 'done', moved = $2 where run_id = $1", run, moved)
    )


def first_alignment(terminal: Terminal) -> int:
    """The run of a route's first alignment, on a route that was stopped since."""
    terminal.started()
    terminal.run("route", "stop", "pos-shop")
    [alignment] = [r for r in terminal.json("run", "list")["runs"] if r["kind"] == "push"]
    assert alignment["error"] == "the route was stopped"
    return int(alignment["id"])


def test_an_undo_is_shown_before_it_is_accepted_and_only_once_the_route_stands_still(terminal: Terminal) -> None:
    run = first_alignment(terminal)
    written(terminal, run, 3)
    made = terminal.json("route", "undo", str(run))
    assert (made["summary"]["cells"], made["summary"]["units_down"]) == (2, -6)
    assert [row["gap"] for row in made["rows"]] == [-3, -3]
    done = terminal.json("route", "undo", str(run), "--accept", made["preview"])
    assert done["total"] == 2
    assert "IS-RUN-008" in terminal.run("route", "undo", str(run), expect=REFUSED).stderr


def test_an_undo_of_a_run_that_wrote_nothing_is_refused_and_leaves_its_route_alone(terminal: Terminal) -> None:
    run = first_alignment(terminal)
    refused = terminal.run("route", "undo", str(run), expect=REFUSED).stderr
    assert "IS-RUN-015" in refused
    assert "nothing to take back" in refused
    assert "取り消すものがありません" in terminal.run("route", "undo", str(run), expect=REFUSED, language="ja").stderr
    assert terminal.rows("select blockers from routes")[0]["blockers"] == []
    assert terminal.rows("select 1 from previews where source = 'undo'") == []


def test_a_run_whose_lines_were_deleted_tells_its_sums_and_is_not_taken_back(terminal: Terminal) -> None:
    run = first_alignment(terminal)
    written(terminal, run, 3)

    async def much_later(desk: Desk) -> int:
        ended = desk.house.now() - timedelta(days=41)
        await desk.pool.execute("update runs set finished_at = $2 where id = $1", run, ended)
        return await keeping.drop_old(desk.house, retention=timedelta(days=40))

    assert terminal.behind(much_later) == 2
    view = terminal.json("run", "show", str(run))
    assert (view["rows"], view["up"], view["done"], view["not_written"]) == ({"done": 2}, 6, 2, [])
    assert view["lines_deleted_at"] is not None
    shown = terminal.run("run", "show", str(run)).stdout
    assert "units up 6, down 0; done 2" in shown
    assert "deleted 41 days after it ended" in shown
    told = terminal.run("run", "show", str(run), language="ja").stdout
    assert "増 6、減 0 完了 2" in told
    assert "1 件ごとの明細は終了の 41 日後に削除しました" in told
    refused = terminal.run("route", "undo", str(run), expect=REFUSED).stderr
    assert "IS-RUN-014" in refused
    assert "deleted 41 days after it ended" in refused
    assert (
        "41 日後に削除したため、取り消せません"
        in terminal.run("route", "undo", str(run), expect=REFUSED, language="ja").stderr
    )


def test_a_preview_of_a_push_has_every_line_as_csv(terminal: Terminal) -> None:
    terminal.started()
    found = terminal.run("route", "preview", "pos-shop", "--from", "channel", "--csv", expect=DONE)
    lines = list(csv.DictReader(io.StringIO(found.stdout)))
    assert [line["value"] for line in lines] == ["A-1", "A-2"]
    assert {line["action"] for line in lines} <= {"write_ledger", "nothing"}


def test_a_fresh_preview_waits_for_the_service_and_says_what_is_still_to_be_read(terminal: Terminal) -> None:
    terminal.ready(RUNNING)
    found = terminal.run("route", "preview", "pos-shop", "--fresh", "--wait", "1", expect=FAILED)
    assert "cells to read" in found.stderr


def test_an_unknown_run_is_said_so(terminal: Terminal) -> None:
    assert "There is no run 77" in terminal.run("run", "show", "77", expect=FAILED).stderr
