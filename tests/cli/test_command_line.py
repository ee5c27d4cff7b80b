"""The command line: what it prints, what it changes, and the exit codes that scripts rely on."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.surroundings import FAILED, REFUSED, WRONG_USE, Terminal, _surroundings, terminal
from tests.engine.apply_support import (
    CONNECTIONS,
    KEY,
    PARTNERS,
    RUNNING,
    SHOP_SECRET,
    STOPPED,
    TILL_SECRET,
    Desk,
)

__all__ = ["_surroundings", "terminal"]


def test_apply_says_what_was_made_and_what_comes_next(terminal: Terminal) -> None:
    found = terminal.apply(RUNNING)
    assert "created" in found.stdout
    assert "route preview pos-shop" in found.stdout
    assert "Nothing changed" in terminal.apply(RUNNING).stdout


def test_the_default_language_is_japanese(terminal: Terminal) -> None:
    terminal.path.write_text(RUNNING)
    assert "設定を適用しました" in terminal.run("apply", str(terminal.path), INVENTORY_SYNC_LANGUAGE="").stdout


def test_a_broken_file_is_one_block_with_place_and_code_and_changes_nothing(terminal: Terminal) -> None:
    found = terminal.apply(STOPPED.replace("ledger: pos", "leger: pos"), expect=FAILED)
    assert "house.yaml:12:5" in found.stderr
    assert "IS-CFG-015" in found.stderr
    assert "Traceback" not in found.output
    assert terminal.json("status")["connections"] == []


def test_a_wrong_credential_is_refused_with_remedy_and_code(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    found = terminal.apply(STOPPED.replace(TILL_SECRET, "wrong-secret-000000"), expect=FAILED)
    assert "IS-DMO-001" in found.stderr
    assert "connection pos" in found.stderr
    assert "Copy the secret" in found.stderr
    assert terminal.json("status")["connections"][0]["state"] == "linked"


def test_an_address_on_a_private_network_is_refused_unless_allowed(terminal: Terminal) -> None:
    text = STOPPED.replace("    account: pos-account\n", "    account: pos-account\n    base_url: https://10.0.0.7\n")
    assert "IS-CON-006" in terminal.apply(text, expect=FAILED).stderr
    terminal.environ["INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS"] = "true"
    terminal.apply(text)


def test_a_dry_run_changes_nothing(terminal: Terminal) -> None:
    assert "Dry run" in terminal.apply(RUNNING, "--dry-run").stdout
    assert terminal.json("status")["connections"] == []


def test_the_report_is_there_for_scripts(terminal: Terminal) -> None:
    terminal.path.write_text(RUNNING)
    report = terminal.json("apply", str(terminal.path))
    assert report["changed"] is True
    assert [(c["name"], c["what"]) for c in report["connections"]] == [("pos", "created"), ("shop", "created")]
    assert report["routes"][0]["state"] == "blocked"


def test_prune_lists_what_goes_and_needs_a_yes(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    found = terminal.apply(CONNECTIONS, "--prune", expect=REFUSED)
    assert "route pos-shop" in found.stderr
    assert len(terminal.json("status")["routes"]) == 1
    terminal.apply(CONNECTIONS, "--prune", "--yes")
    assert terminal.json("status")["routes"] == []
    terminal.run("route", "show", "pos-shop", expect=FAILED)


def test_a_route_is_previewed_accepted_and_stopped_and_the_stop_holds(terminal: Terminal) -> None:
    terminal.ready()
    listing = terminal.run("route", "preview", "pos-shop")
    assert "A-1" in listing.stdout
    made = terminal.json("route", "preview", "pos-shop")
    assert [(row["value"], row["before"], row["after"]) for row in made["rows"]] == [("A-1", 4, 5), ("A-2", 4, 5)]
    assert "2 pairs confirmed" in terminal.run("route", "start", "pos-shop", "--accept", made["preview"]).stdout
    assert terminal.json("route", "list")["routes"][0]["state"] == "running"
    assert "stopped" in terminal.run("route", "stop", "pos-shop").stdout
    found = terminal.apply(RUNNING, expect=REFUSED)
    assert "IS-RTE-005" in found.stderr
    assert terminal.json("route", "list")["routes"][0]["state"] == "stopped"
    assert "Preview" in terminal.run("route", "start", "pos-shop", "--yes").stdout
    assert "Nothing changed" in terminal.apply(RUNNING).stdout


def test_apply_starts_a_route_with_an_accepted_preview(terminal: Terminal) -> None:
    terminal.ready()
    made = terminal.json("route", "preview", "pos-shop")
    assert "Started: pos-shop" in terminal.apply(RUNNING, "--accept", made["preview"]).stdout


def test_every_line_of_a_preview_is_there_as_csv(terminal: Terminal) -> None:
    terminal.ready()
    found = terminal.run("route", "preview", "pos-shop", "--csv")
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert [(r["value"], r["location"], r["action"], r["after"]) for r in rows] == [
        ("A-1", "Online", "write_channel", "5"),
        ("A-2", "Online", "write_channel", "5"),
    ]


def test_a_preview_waits_until_everything_was_read(terminal: Terminal) -> None:
    terminal.apply(RUNNING)
    assert "IS-RTE-030" in terminal.run("route", "preview", "pos-shop", expect=FAILED).stderr
    terminal.behind(lambda desk: desk.import_catalogues())
    assert "not yet: 2 cells to read" in terminal.run("route", "preview", "pos-shop", expect=FAILED).stderr
    assert "IS-RTE-032" in terminal.run("route", "start", "pos-shop", "--yes", expect=FAILED).stderr


def test_a_route_where_nothing_matched_says_where_to_look(terminal: Terminal) -> None:
    PARTNERS["shop-account"].codes = ["a-1"]
    terminal.ready()
    assert "route show pos-shop" in terminal.run("route", "preview", "pos-shop", expect=FAILED).stderr
    shown = terminal.run("route", "show", "pos-shop").stdout
    assert "Near misses" in shown
    assert "'A-1'" in shown
    assert "'a-1'" in shown
    assert terminal.json("route", "show", "pos-shop")["match"]["near_misses_count"] == 1


SUPPLIED = (
    RUNNING + "    listings: same\n    sets: sets.csv\n    match: {channel_field: [sku, other], table: codes.csv}\n"
)


def test_a_route_shows_what_its_sets_are_made_of_and_what_is_wrong_with_what_a_person_supplied(
    terminal: Terminal,
) -> None:
    (terminal.path.parent / "sets.csv").write_text("set,component,ratio\nSET,A-1,1\nSET,A-2,3\nBAD,a-1,1\n")
    (terminal.path.parent / "codes.csv").write_text("channel,ledger\ntheirs,A-2\n")
    PARTNERS["shop-account"].codes = ["A-1", "SET", "theirs", "more"]
    terminal.ready(SUPPLIED)
    shown = terminal.run("route", "show", "pos-shop").stdout
    for text in (
        "1 × A-1 + 3 × A-2",
        "code table: 1 lines, sets: 2",
        "listings same",
        "'BAD'",
        "'a-1'",
        "number stock",
    ):
        assert text in shown
    found = terminal.json("route", "show", "pos-shop")
    assert (found["counts"]["pairs"], found["counts"]["sets"]) == (3, 1)
    assert found["match"]["sets"][0]["listings"] == 0
    assert [each["trouble"] for each in found["match"]["complaints"]] == ["unknown_component", "no_such_listing"]
    rows = {row["value"]: row for row in terminal.json("route", "preview", "pos-shop")["rows"]}
    assert (rows["SET"]["after"], rows["A-1"]["after"]) == (1, 5)
    assert "the smallest of A-1 5÷1=5, A-2 5÷3=1" in rows["SET"]["why_en"]


@pytest.mark.row("S2-38")
def test_a_person_may_match_a_route_again_and_reads_the_report(terminal: Terminal) -> None:
    PARTNERS["shop-account"].codes = ["A-1", "a-2", "xA-1"]
    terminal.apply(RUNNING + "    match: {channel_field: [sku, other]}\n")
    assert "IS-RTE-030" in terminal.run("route", "match", "pos-shop", expect=FAILED).stderr
    terminal.ready(RUNNING + "    match: {channel_field: [sku, other]}\n")
    shown = terminal.run("route", "match", "pos-shop").stdout
    for text in ("pos-shop: matched again.", "matched 1, ambiguous 1", "several in the channel", "'A-2'", "'a-2'"):
        assert text in shown
    found = terminal.json("route", "match", "pos-shop")
    assert (found["route"], found["match"]["matched"], found["match"]["pairs_made"]) == ("pos-shop", 1, 0)


def test_a_route_with_a_pool_shows_where_what_comes_back_goes(terminal: Terminal) -> None:
    pooled = RUNNING.partition("    locations:")[0] + '    pool: {ledger: ["1", "2"], intake: "2", channel: "L1"}\n'
    terminal.ready(pooled + "    state: running\n")
    assert "what the channel moves is booked at 2" in terminal.run("route", "show", "pos-shop").stdout
    assert terminal.json("route", "show", "pos-shop")["pool"] == {"intake": "2"}
    rows = terminal.json("route", "preview", "pos-shop")["rows"]
    assert [(row["after"], row["why_en"].partition(" (")[2]) for row in rows] == [
        (10, "the sum of Ginza 5 + Osaka 5)"),
        (10, "the sum of Ginza 5 + Osaka 5)"),
    ]


def test_a_start_needs_a_preview_or_a_yes(terminal: Terminal) -> None:
    terminal.ready()
    terminal.run("route", "start", "pos-shop", expect=WRONG_USE)
    terminal.run("route", "start", "pos-shop", "--yes", "--accept", "x", expect=WRONG_USE)
    terminal.run("route", "start", "pos-shop", "--accept", "x", expect=FAILED)
    assert "Routes: pos-shop" in terminal.run("route", "start", "nowhere", "--yes", expect=FAILED).stderr


def test_status_shows_connections_routes_and_what_is_not_mapped(terminal: Terminal) -> None:
    assert "apply FILE" in terminal.run("status").stdout
    terminal.ready()
    shown = terminal.run("status").stdout
    for text in ("till-7", "stall-9", "linked", "first_alignment", "pos 2 (Osaka)"):
        assert text in shown
    found = terminal.json("status")
    assert set(found) == {"at", "installation", "connections", "routes", "jobs", "alerts"}
    assert found["routes"][0]["counts"]["pairs"] == 2


def test_status_says_what_is_wrong_with_a_connection_and_what_to_do(terminal: Terminal) -> None:
    terminal.apply(STOPPED)

    async def breaks(desk: Desk) -> None:
        await desk.pool.execute(
            "update connections set state = 'needs_action', state_code = 'IS-DMO-001', state_reason = 'refused', "
            "state_remedy = 'renew it' where name = 'pos'"
        )

    terminal.behind(breaks)
    shown = terminal.run("status").stdout
    assert "refused [IS-DMO-001]" in shown
    assert "renew it" in shown


@pytest.mark.row("S0-42")
def test_no_command_ever_shows_a_secret(terminal: Terminal) -> None:
    terminal.ready()
    terminal.apply(RUNNING.replace(TILL_SECRET, "wrong-secret-000000"), expect=FAILED)
    terminal.path.write_text(RUNNING)
    terminal.json("apply", str(terminal.path))
    for command in (("status",), ("systems",), ("route", "list"), ("route", "show", "pos-shop"), ("run", "list")):
        terminal.run(*command)
        terminal.json(*command)
    for secret in (TILL_SECRET, SHOP_SECRET, "wrong-secret-000000", KEY):
        assert secret not in terminal.seen


def test_systems_are_listed_with_what_they_need(terminal: Terminal) -> None:
    found = terminal.json("systems")["systems"]
    assert [(s["name"], s["roles"], s["match_fields"]) for s in found] == [
        ("stall", ["channel", "ledger"], ["sku", "other"]),
        ("till", ["channel", "ledger"], ["product_code", "other"]),
    ]


def test_a_quarantined_cell_is_listed_and_released(terminal: Terminal) -> None:
    terminal.ready()

    async def quarantines(desk: Desk) -> int:
        cell: int = await desk.pool.fetchval(
            "update cells set quarantined = true where id = (select min(channel_cell) from pairs) returning id"
        )
        await desk.pool.execute(
            "insert into quarantine (cell_id, code, reason, since) values ($1, 'IS-DMO-009', 'too large', now())", cell
        )
        await desk.pool.execute("delete from due")
        return cell

    cell = terminal.behind(quarantines)
    assert "too large" in terminal.run("quarantine", "list").stdout
    terminal.run("quarantine", "release", expect=WRONG_USE)
    terminal.run("quarantine", "release", "999999", expect=FAILED)
    assert len(terminal.json("quarantine", "list")["cells"]) == 1
    terminal.run("quarantine", "release", str(cell))
    assert terminal.json("quarantine", "list")["cells"] == []

    async def looks(desk: Desk) -> tuple[bool, int]:
        row = await desk.pool.fetchrow("select quarantined from cells where id = $1", cell)
        return row["quarantined"], await desk.pool.fetchval("select count(*) from due where cell_id = $1", cell)

    freed, due = terminal.behind(looks)
    assert freed is False
    assert due == 1


def test_runs_and_alerts_are_listed(terminal: Terminal) -> None:
    terminal.apply(STOPPED)
    assert [(r["kind"], r["connection"]) for r in terminal.json("run", "list")["runs"]] == [
        ("import", "shop"),
        ("import", "pos"),
    ]

    async def alerts(desk: Desk) -> None:
        await desk.pool.execute(
            "insert into alerts (code, subject, detail, opened_at, seen_at) "
            "values ('oversold', 'A-1', '{}', now(), now())"
        )

    terminal.behind(alerts)
    assert [a["code"] for a in terminal.json("alerts", "list")["alerts"]] == ["oversold"]
    assert "oversold" in terminal.run("alerts", "list").stdout


def test_migrate_is_safe_to_repeat(empty_database: str, tmp_path: Path) -> None:
    terminal = Terminal(empty_database, tmp_path)
    assert "IS-DB-004" in terminal.run("status", expect=FAILED).stderr
    assert "applied: 0001" in terminal.run("migrate").stdout
    assert "up to date" in terminal.run("migrate").stdout
    terminal.run("status")


def test_a_misspelt_variable_is_named_with_the_right_one(terminal: Terminal) -> None:
    found = terminal.run("status", expect=FAILED, INVENTORY_SYNC_DATBASE_URL="x")
    assert "INVENTORY_SYNC_DATABASE_URL" in found.stderr


def test_a_database_that_is_away_is_said_without_a_traceback_or_a_password(tmp_path: Path) -> None:
    terminal = Terminal("postgresql://somebody:hidden-password@127.0.0.1:1/none", tmp_path)
    found = terminal.run("status", expect=FAILED)
    assert "IS-DB-001" in found.stderr
    assert "hidden-password" not in found.output


def test_wrong_use_is_exit_code_two(terminal: Terminal) -> None:
    terminal.run("status", "--colour", expect=WRONG_USE)
    terminal.run("no-such-command", expect=WRONG_USE)
