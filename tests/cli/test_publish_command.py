"""`publish show|import|export` at a terminal: what is shown, what is refused, and that nothing changes unasked."""

from __future__ import annotations

from pathlib import Path

from tests.cli.surroundings import DONE, FAILED, REFUSED, Terminal, _surroundings, terminal
from tests.engine.apply_support import RUNNING

__all__ = ["_surroundings", "terminal"]


def file(tmp_path: Path, content: str | bytes, name: str = "rules.csv") -> str:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_file_is_shown_confirmed_listed_exported_and_taken_back(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ready(RUNNING)
    terminal.run("route", "start", "pos-shop", "--yes")
    rules = file(tmp_path, "code,buffer,offset,until\nA-1,1,,\nA-2,,90,2099-12-31\nLATER-1,2,,\n")

    found = terminal.run("publish", "import", "pos-shop", rules, expect=REFUSED)
    assert "IS-PUB-011" in found.stderr
    assert "nothing was changed" in found.stderr
    assert "more than there is (pre-orders)" in found.stdout
    assert "Row 4, LATER-1: no item of this route has it" in found.stdout
    assert terminal.json("publish", "show", "pos-shop")["overrides"] == []
    assert "Set 3" in terminal.run("publish", "import", "pos-shop", rules, "--dry-run").stdout
    assert terminal.json("publish", "show", "pos-shop")["overrides"] == []

    done = terminal.json("publish", "import", "pos-shop", rules, "--yes")
    assert (done["applied"], done["set"], [each["code"] for each in done["unknown"]]) == (True, 3, ["LATER-1"])
    assert terminal.json("run", "show", str(done["run"]))["kind"] == "publish"
    shown = terminal.json("publish", "show", "pos-shop")
    assert [(each["code"], each["pairs"]) for each in shown["overrides"]] == [("A-1", 1), ("A-2", 1), ("LATER-1", 0)]
    assert (shown["buffer"], shown["auto_buffer"]) == (0, False)
    table = terminal.run("publish", "show", "pos-shop").stdout
    assert "2099-12-31" in table
    assert "0 (no such item)" in table

    one = terminal.json("publish", "show", "pos-shop", "A-1")
    assert [(each["buffer"], each["own"]) for each in one["numbers"]] == [(1, ["buffer"])]
    assert "− buffer 1 =" in terminal.run("publish", "show", "pos-shop", "A-1").stdout
    assert (
        "nothing of this route has this code" in terminal.run("publish", "show", "pos-shop", "B", expect=FAILED).stdout
    )

    out = tmp_path / "out.csv"
    terminal.run("publish", "export", "pos-shop", "--out", str(out))
    again = terminal.json("publish", "import", "pos-shop", str(out), "--replace")
    assert (again["unchanged"], again["set"], again["cells"]) == (3, 0, [])
    shifted = terminal.run("publish", "export", "pos-shop", "--encoding", "shift_jis")
    assert shifted.stdout.startswith("code,buffer,percent,max,end_when,offset,until,exclude\n")
    empty = file(tmp_path, "code\n", "empty.csv")
    assert "IS-PUB-011" in terminal.run("publish", "import", "pos-shop", empty, "--replace", expect=REFUSED).stderr
    gone = terminal.json("publish", "import", "pos-shop", empty, "--replace", "--yes")
    assert gone["taken_back"] == 3
    assert terminal.json("publish", "export", "pos-shop")["overrides"] == []


def test_a_confirmation_is_for_what_the_preview_showed(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ready(RUNNING)
    terminal.run("route", "start", "pos-shop", "--yes")
    rules = file(tmp_path, "code,buffer\nA-1,1\n")
    seen = terminal.json("publish", "import", "pos-shop", rules, "--dry-run")["seen"]
    assert f"--yes --seen {seen}" in terminal.run("publish", "import", "pos-shop", rules, expect=REFUSED).stderr

    file(tmp_path, "code,buffer\nA-1,1\nA-2,1\n")
    for language, words in (("en", "no longer what the preview showed"), ("ja", "プレビューの内容")):
        refused = terminal.run(
            "publish", "import", "pos-shop", rules, "--yes", "--seen", seen, expect=REFUSED, language=language
        )
        assert "IS-PUB-014" in refused.stderr
        assert words in refused.stderr
    assert terminal.json("publish", "show", "pos-shop")["overrides"] == []

    file(tmp_path, "code,buffer\nA-1,1\n")
    ledger = "update cells set known = -known where id in (select ledger_cell from components) returning id"
    terminal.rows(ledger)
    gone = terminal.run("publish", "import", "pos-shop", rules, "--yes", "--seen", seen, expect=REFUSED)
    assert "IS-PUB-014" in gone.stderr, "the number that was shown would not change any more"
    terminal.rows(ledger)
    terminal.rows("update cells set known = known + 1 where id in (select channel_cell from pairs) returning id")
    done = terminal.json("publish", "import", "pos-shop", rules, "--yes", "--seen", seen)
    assert (done["applied"], done["set"]) == (True, 1), "a number that moved by itself is no other plan"


def test_a_long_list_names_what_shows_the_rest(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ready(RUNNING)
    terminal.run("route", "start", "pos-shop", "--yes")
    later = "".join(f"LATER-{number},1\n" for number in range(205))
    terminal.run("publish", "import", "pos-shop", file(tmp_path, "code,buffer\n" + later))
    shown = terminal.run("publish", "show", "pos-shop").stdout
    assert "5 more lines: use --json or `inventory-sync publish export pos-shop`" in shown
    exported = terminal.run("publish", "export", "pos-shop").stdout
    assert exported.count("LATER-") == 205

    two = file(tmp_path, "code,buffer\nA-1,1\nA-2,1\n")
    preview = terminal.run("publish", "import", "pos-shop", two, "--dry-run", "--lines", "1").stdout
    assert "1 more lines: use --lines or --json" in preview
    wrong = file(tmp_path, "code,buffer\n" + "".join(f"W-{number},x\n" for number in range(25)))
    refused = terminal.run("publish", "import", "pos-shop", wrong, expect=FAILED).stderr
    assert "5 more like these" in refused
    assert "--csv" not in refused


def test_an_absurd_file_is_refused_with_every_row_and_changes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ready(RUNNING)
    wrong = file(tmp_path, "code,buffer\nA-1,3\nA-1,4\nA-2,three\n")
    found = terminal.run("publish", "import", "pos-shop", wrong, "--yes", expect=FAILED)
    assert "rules.csv, row 3, column code: This code stands in row 2 already. [IS-PUB-003]" in found.stderr
    assert "rules.csv, row 4, column buffer: 'three' is not a plain whole number." in found.stderr
    assert "Nothing was changed." in found.stderr
    japanese = terminal.run("publish", "import", "pos-shop", wrong, expect=FAILED, INVENTORY_SYNC_LANGUAGE="ja")
    assert "3 行目" in japanese.stderr or "行 3" in japanese.stderr

    shifted = file(tmp_path, "code,buffer\n品番,3\n".encode("cp932"))
    assert "--encoding shift_jis" in terminal.run("publish", "import", "pos-shop", shifted, expect=FAILED).stderr
    assert "IS-FIL-033" in terminal.run("publish", "import", "pos-shop", "nowhere.csv", expect=FAILED).stderr
    assert terminal.json("publish", "show", "pos-shop")["overrides"] == []
    kept = terminal.run("publish", "import", "pos-shop", shifted, "--encoding", "shift_jis", expect=DONE)
    assert "品番: no item of this route has it" in kept.stdout


def test_the_rule_of_a_route_may_reckon_its_buffer(terminal: Terminal) -> None:
    automatic = RUNNING.replace(
        "    state: running",
        "    publish: {buffer: auto, buffer_min: 1, buffer_max: 20, end_when: 2}\n    state: running",
    )
    terminal.ready(automatic)
    shown = terminal.json("publish", "show", "pos-shop")
    assert {key: shown[key] for key in ("buffer", "auto_buffer", "auto_most", "end_when")} == {
        "buffer": 1,
        "auto_buffer": True,
        "auto_most": 20,
        "end_when": 2,
    }
    assert "buffer=auto (1–20)" in terminal.run("publish", "show", "pos-shop").stdout
    japanese = terminal.run("publish", "show", "pos-shop", INVENTORY_SYNC_LANGUAGE="ja").stdout
    assert "安全在庫 auto (1–20)、割合 100%" in japanese
    figures = terminal.run("route", "show", "pos-shop", INVENTORY_SYNC_LANGUAGE="ja").stdout
    assert "紐付け 2、プール 0" in figures
    assert "pairs=" not in figures
    assert "oldest_pending_s" not in figures
    assert "Nothing changed" in terminal.apply(automatic).stdout
    text = terminal.run("publish", "show", "pos-shop", "A-1").stdout
    assert "automatic buffer: nothing sold elsewhere lately, so the smallest: 1" in text
