"""`guide`, `setup` and `connection …` at the command line: from nothing to a preview, and no secret in clear."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.store import db
from inventory_sync.systems import registry
from inventory_sync.systems.steps import Step, StepProof, Way
from tests.cli.surroundings import DONE, FAILED, REFUSED, WRONG_USE, Terminal, invented_systems
from tests.engine import apply_support
from tests.engine.apply_support import PARTNERS, SHOP_SECRET, STALL, TILL, TILL_SECRET, Desk

FRESH = "a-fresh-secret-9876543210"

TILL_STEPS = (
    Step(
        "account",
        "Find the account",
        "アカウントを確認する",
        "Console",
        "管理画面",
        StepProof.ANSWERS,
        fields=("account",),
    ),
    Step(
        "secret",
        "Copy the secret",
        "シークレットをコピーする",
        "Console",
        "管理画面",
        StepProof.ANSWERS,
        fields=("secret",),
    ),
    Step("linked", "It answers", "接続できる", "-", "–ー", StepProof.VERIFIED, problems=("IS-DMO-001",)),
    Step("places", "Places are visible", "ロケーションを取得できる", "-", "ー", StepProof.LOCATIONS),
    Step("poster", "Hang up the poster", "ポスターを貼る", "-", "ー", StepProof.PERSON, optional=True),
)
STALL_STEPS = (
    Step("apply", "Apply", "申請する", "Form", "申請フォーム", StepProof.APPROVAL, ways=("slow",), business_days=3),
    *TILL_STEPS[:3],
)
STALL_WAYS = (Way("quick", "Quick", "すぐ"), Way("slow", "Slow", "申請"))


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(apply_support, "TILL", replace(TILL, steps=TILL_STEPS))
    monkeypatch.setattr(apply_support, "STALL", replace(STALL, steps=STALL_STEPS, ways=STALL_WAYS))
    yield from invented_systems(monkeypatch)


class Person(Terminal):
    """A person at a terminal, with a file of answers beside the configuration file."""

    def __init__(self, url: str, directory: Path) -> None:
        super().__init__(url, directory)
        self.answers = directory / "answers.yaml"

    def setup(self, answers: str | None = None, *, expect: int = DONE, said: str = "", wait: str = "0") -> Any:
        given = []
        if answers is not None:
            self.answers.write_text(answers, encoding="utf-8")
            given = ["--answers", str(self.answers)]
        return self.run("setup", "--file", str(self.path), "--wait", wait, *given, expect=expect, said=said)

    def states(self, connection: str, system: str) -> dict[str, str]:
        found = self.json("guide", system, "--connection", connection)
        return {step["key"]: step["state"] for step in found["steps"]}


@pytest.fixture
def person(database: str, tmp_path: Path) -> Person:
    return Person(database, tmp_path)


LEDGER = f"ledger: {{system: till, name: pos, account: pos-account, secret: {TILL_SECRET}}}\n"
CHANNEL = f"channel: {{system: stall, name: shop, way: quick, account: shop-account, secret: {SHOP_SECRET}}}\n"
ROUTE = "route: {locations: {1: L1, 2: L2}}\n"
ALL = LEDGER + CHANNEL + ROUTE


def test_setup_from_a_file_of_answers_ends_in_a_proven_configuration_without_a_secret_in_it(person: Person) -> None:
    found = person.setup(ALL)
    assert "route preview pos-shop" in found.stdout
    text = person.path.read_text(encoding="utf-8")
    assert "account: pos-account" in text
    assert "secret: stored encrypted" in text
    assert stat.S_IMODE(person.path.stat().st_mode) == 0o600
    for secret in (TILL_SECRET, SHOP_SECRET):
        assert secret not in text + person.seen
    state = person.json("status")
    assert [(c["name"], c["state"]) for c in state["connections"]] == [("pos", "linked"), ("shop", "linked")]
    assert state["routes"][0]["state"] == "blocked"
    assert "Nothing changed" in person.run("apply", str(person.path)).stdout, "the file says what was applied"


def test_setup_asks_in_order_and_takes_one_line_for_each_answer(person: Person) -> None:
    said = [
        *("till", "pos", "pos-account", TILL_SECRET),
        *("stall", "shop", "quick", "shop-account", SHOP_SECRET),
        *("", "L2", "", "", "", "on_hand"),
    ]
    found = person.setup(said="\n".join(said) + "\n")
    asked = found.stderr
    assert [asked.index(each) for each in ("Find the account", "Copy the secret", "Connected: Shop till-7")] == sorted(
        asked.index(each) for each in ("Find the account", "Copy the secret", "Connected: Shop till-7")
    )
    shown = person.json("route", "show", "pos-shop")
    assert [(p["ledger"], p["channel"]) for p in shown["locations"]] == [("1", "L2")]
    assert person.rows("select ledger_basis from routes") == [("on_hand",)]
    assert TILL_SECRET not in person.seen


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "ja",
            (
                "ledger_wins: 在庫台帳を優先: 販売チャネルを台帳の数に合わせる",
                "expect: 受注管理システムや担当者が計上する。",
                "two_way: 両方向:",
                "stock_minus_layaway: 在庫数から取り置きを除いた数",
            ),
        ),
        (
            "en",
            (
                "ledger_wins: the channel is set to the ledger's number",
                "expect: an order system or a person books them;",
                "two_way: both ways:",
                "stock_minus_layaway: the stock less what is laid away",
            ),
        ),
    ],
)
def test_each_choice_is_shown_with_what_it_means_and_answered_with_the_word_itself(
    person: Person, language: str, told: tuple[str, ...]
) -> None:
    person.environ["INVENTORY_SYNC_LANGUAGE"] = language
    answers = ["till", "pos", "pos-account", TILL_SECRET, "stall", "shop", "quick", "shop-account", SHOP_SECRET]
    found = person.setup(said="\n".join([*answers, "", "L2", "", "", "", "stock", "", "", "keep_difference"]) + "\n")
    for each in told:
        assert each in person.seen
    assert person.rows("select align, ledger_basis from routes") == [("keep_difference", "stock")]
    assert found.stderr.index("keep_difference: ") > found.stderr.index("two_way: ")


def test_setup_waits_for_the_preview_that_the_daemon_makes_possible(person: Person) -> None:
    ready = threading.Event()

    async def daemon(desk: Desk) -> None:
        told = asyncio.Event()
        async with desk.pool.acquire() as listening:
            await listening.add_listener(db.CHANNEL, lambda *said: told.set())
            ready.set()
            await told.wait()
            await listening.reset()
        await desk.import_catalogues()
        await desk.read_cells()

    working = threading.Thread(target=lambda: person.behind(daemon))
    working.start()
    ready.wait(20)
    found = person.setup(ALL.replace("2: L2", ""), wait="20")
    working.join()
    [(made,)] = person.rows("select id from previews order by made_at desc limit 1")
    assert f"route start pos-shop --accept {made}" in found.stdout
    person.run("route", "start", "pos-shop", "--accept", made)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (ALL.replace("till", "tyll"), "IS-CLI-034"),
        (ALL.replace("account: pos-account, ", ""), "IS-CLI-032"),
        (ALL.replace("way: quick", "weg: quick"), "IS-CLI-033"),
        (ALL.replace("1: L1", "1: L9"), "IS-CLI-034"),
        (ALL.replace(TILL_SECRET, "'${NOT_SET_ANYWHERE}'"), "IS-CFG-019"),
        ("ledger: [", "IS-CLI-032"),
    ],
)
@pytest.mark.row("S0-4")
def test_an_answer_that_is_missing_wrong_or_not_asked_for_is_named_and_nothing_is_saved(
    person: Person, answers: str, code: str
) -> None:
    found = person.setup(answers, expect=FAILED if code == "IS-CFG-019" else WRONG_USE)
    assert code in found.stderr
    assert person.rows("select name from connections") == []
    assert not person.path.exists()
    assert TILL_SECRET not in person.seen


def test_a_refused_credential_ends_a_scripted_setup_with_its_remedy_and_saves_nothing(person: Person) -> None:
    found = person.setup(ALL.replace(SHOP_SECRET, "wrong-secret-000000"), expect=FAILED)
    assert "IS-DMO-001" in found.stderr
    assert person.rows("select name from connections") == []
    assert not person.path.exists()


def test_what_is_wrong_with_an_answer_is_told_in_japanese(person: Person) -> None:
    person.environ["INVENTORY_SYNC_LANGUAGE"] = "ja"
    found = person.setup(ALL.replace(TILL_SECRET, "'${NOT_SET_ANYWHERE}'"), expect=FAILED)
    assert "環境変数 NOT_SET_ANYWHERE が設定されていません。" in found.stderr
    named = person.setup(ALL.replace("name: pos", "name: Pos!"), expect=WRONG_USE)
    assert "英小文字、数字、_、- を使い、1〜40 文字で書いてください。" in named.stderr


def test_a_secret_may_stay_in_the_environment_and_the_file_then_names_the_variable(person: Person) -> None:
    person.environ["TILL_VALUE"] = TILL_SECRET
    person.setup(ALL.replace(TILL_SECRET, "'${TILL_VALUE}'"))
    assert "secret: ${TILL_VALUE}" in person.path.read_text(encoding="utf-8")
    assert person.json("status")["connections"][0]["state"] == "linked"


def test_a_second_setup_takes_what_is_linked_and_keeps_the_rest_of_the_file(person: Person) -> None:
    person.setup(ALL)
    before = person.path.read_text(encoding="utf-8").replace("connections:", "# mine\nconnections:")
    person.path.write_text(before, encoding="utf-8")
    PARTNERS["fair-account"] = replace(PARTNERS["shop-account"], identity="stall-10")
    more = "channel: {system: stall, name: fair, way: quick, account: fair-account, secret: " + SHOP_SECRET + "}\n"
    person.setup("ledger: {system: till, name: pos}\n" + more + ROUTE)
    text = person.path.read_text(encoding="utf-8")
    assert "# mine" in text
    assert "pos-shop:" in text
    assert "pos-fair:" in text
    assert [c["name"] for c in person.json("status")["connections"]] == ["pos", "shop", "fair"]


def test_a_name_that_belongs_to_another_system_is_refused(person: Person) -> None:
    person.setup(ALL)
    found = person.setup(
        ALL.replace("system: till, name: pos", "system: stall, name: pos, way: quick"), expect=WRONG_USE
    )
    assert "belongs to till" in found.stderr


@pytest.mark.row("S0-2", "S0-3")
@pytest.mark.parametrize("family", ["files", "partner"])
def test_a_fresh_installation_offers_stock_by_files_and_by_a_partner_and_runs_nothing_until_one_is_chosen(
    person: Person, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    value = "inventory_sync.systems.builtin:definition"
    points = [*registry.entry_points(registry.ENTRY_POINT_GROUP), EntryPoint("builtin", value, "")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert person.json("status")["connections"] == []
    offered = {each["name"]: each for each in person.json("systems")["systems"]}
    assert {"builtin", "stall", "till"} <= set(offered)
    assert offered["builtin"]["prerequisites"]["en"] == ["Nothing: the ledger is part of this product"]
    assert "no answer to ledger.system" in person.setup(said="", expect=WRONG_USE).stderr
    assert person.rows("select (select count(*) from connections) + (select count(*) from runs)") == [(0,)]
    assert person.rows("select (select count(*) from routes) + (select count(*) from wishes)") == [(0,)]

    if family == "files":
        person.path.write_text("connections:\n  warehouse:\n    system: builtin\n")
        person.run("apply", str(person.path))
        stock = person.path.with_name("stock.csv")
        stock.write_text("sku,location,quantity\nTEA-100,main,7\n")
        person.run("ledger", "items", "put", "TEA-100", "--name", "Tea")
        person.run("ledger", "locations", "put", "main", "--name", "Main")
        person.run("ledger", "import", str(stock))
        assert " 7 " in person.run("ledger", "get", "TEA-100").stdout
        assert person.rows("select name, system from connections") == [("warehouse", "builtin")]
    else:
        person.setup(ALL)
        chosen = person.rows("select name, system from connections order by id")
        assert chosen == [("pos", "till"), ("shop", "stall")]


def test_a_setup_whose_approval_is_not_there_waits_and_goes_on_later(person: Person) -> None:
    slow = CHANNEL.replace("way: quick", "way: slow, approval: 2026-11-16")
    found = person.setup(LEDGER + slow + ROUTE, expect=DONE)
    assert "waits for its approval" in found.stdout
    assert person.rows("select name, state from connections") == [("shop", "awaiting_approval")]
    assert person.states("shop", "stall")["apply"] == "waiting"
    person.setup(LEDGER + CHANNEL.replace("way: quick", "way: slow, approval: yes") + ROUTE)
    assert person.rows("select name, state from connections order by name") == [("pos", "linked"), ("shop", "linked")]


# -- guide -------------------------------------------------------------------------------------------------------------


def test_the_guide_shows_each_step_with_its_own_state_which_follows_what_happens(person: Person) -> None:
    person.run("connection", "add", "pos", "--system", "till")
    assert person.states("pos", "till") == {
        "account": "not_ready",
        "secret": "not_ready",
        "linked": "not_ready",
        "places": "not_ready",
        "poster": "ask",
    }
    person.setup(ALL)
    person.run("connection", "step", "pos", "poster", "--done")
    assert set(person.states("pos", "till").values()) == {"done"}
    person.run("connection", "step", "pos", "poster", "--open")
    PARTNERS["pos-account"].secret = FRESH
    person.run("connection", "verify", "pos", expect=FAILED)
    now = person.states("pos", "till")
    assert (now["linked"], now["secret"], now["poster"]) == ("not_ready", "done", "ask")
    shown = person.run("guide", "till", "--connection", "pos").stdout
    assert "Copy the secret from the partner's console again. [IS-DMO-001]" in shown
    person.run("connection", "step", "pos", "linked", "--done", expect=REFUSED)
    person.run("connection", "step", "pos", "nothing", "--done", expect=FAILED)


def test_the_guide_speaks_japanese_and_english_and_names_the_nearest_system(person: Person) -> None:
    assert "アカウントを確認する" in person.run("guide", "till", INVENTORY_SYNC_LANGUAGE="ja").stdout
    assert "Find the account" in person.run("guide", "till").stdout
    assert all(step["state"] is None for step in person.json("guide", "till")["steps"])
    assert "did you mean 'till'" in person.run("guide", "tilll", expect=FAILED).stderr


# -- connection … ------------------------------------------------------------------------------------------------------


@pytest.mark.row("S0-42")
def test_a_secret_is_renewed_from_lines_or_a_file_and_only_its_mask_is_shown(person: Person) -> None:
    person.setup(ALL)
    PARTNERS["shop-account"].secret = FRESH
    found = person.run("connection", "renew", "shop", "--field", "secret", said=f"{FRESH}\n")
    assert "reconciled" in found.stdout
    person.answers.write_text("secret: ${FRESH_VALUE}\n")
    person.environ["FRESH_VALUE"] = FRESH
    person.run("connection", "renew", "shop", "--answers", str(person.answers))
    shown = person.run("connection", "show", "shop").stdout
    assert "secret: •••" in shown
    assert person.json("connection", "show", "shop")["health"] == "valid"
    person.run("connection", "renew", "shop", "--field", "secret", said="\n", expect=FAILED)
    assert FRESH not in person.seen


def test_a_refused_renewal_says_so_and_leaves_the_connection_valid(person: Person) -> None:
    person.setup(ALL)
    found = person.run("connection", "renew", "shop", "--field", "secret", said="wrong-secret-000000\n", expect=FAILED)
    assert "IS-DMO-001" in found.stderr
    assert person.json("connection", "show", "shop")["health"] == "valid"


def test_remove_needs_a_yes_and_relink_brings_the_connection_back(person: Person) -> None:
    person.setup(ALL)
    found = person.run("connection", "remove", "shop", expect=REFUSED)
    assert "IS-CON-034" in found.stderr
    person.run("connection", "remove", "shop", "--yes")
    assert person.json("connection", "show", "shop")["state"] == "unlinked"
    assert "IS-CON-030" in person.run("connection", "verify", "shop", expect=REFUSED).stderr
    person.run("connection", "relink", "shop", said=f"{SHOP_SECRET}\n\n\n")
    assert person.json("connection", "show", "shop")["state"] == "linked"
    assert person.json("route", "list")["routes"][0]["state"] != "running"


def test_an_approval_is_noted_with_the_day_it_was_applied_for(person: Person) -> None:
    person.run("connection", "add", "shop", "--system", "stall")
    found = person.json("connection", "approval", "shop", "applied", "--at", "2026-11-16", "--step", "apply")
    assert found["due_at"].startswith("2026-11-20T00:00:00")
    assert person.json("connection", "show", "shop")["state"] == "awaiting_approval"
    assert person.json("connection", "approval", "shop", "granted")["state"] == "created"
    person.run("connection", "approval", "shop", "perhaps", expect=WRONG_USE)
    person.run("connection", "approval", "shop", "applied", "--at", "soon", expect=WRONG_USE)


def test_every_system_is_listed_with_what_it_needs_and_can_do_and_an_unknown_one_is_refused(person: Person) -> None:
    found = {each["name"]: each for each in person.json("systems")["systems"]}
    assert found["stall"]["credentials"] == ["secret"]
    assert found["stall"]["roles"] == ["channel", "ledger"]
    assert "prerequisites" in found["stall"]
    refused = person.run("connection", "add", "x", "--system", "stal", expect=FAILED)
    assert "did you mean 'stall'" in refused.stderr
    assert person.rows("select count(*) from connections") == [(0,)]


@pytest.mark.row("S0-38", "S0-39")
def test_a_key_for_a_warehouse_system_is_shown_once_and_only_its_hash_is_kept(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "inventory_sync.systems.builtin:definition"
    points = [EntryPoint("builtin", value, registry.ENTRY_POINT_GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    person.path.write_text("connections:\n  warehouse:\n    system: builtin\n")
    person.run("apply", str(person.path))
    shown = person.run("ledger", "keys", "create", "wms").stdout
    key = next(word for word in shown.split() if word.startswith("isl_"))
    assert key not in person.run("ledger", "keys", "list").stdout
    everything = person.behind(lambda desk: desk.dump())
    assert key not in repr(everything)
    assert key.rpartition("_")[2] not in repr(everything)
    person.run("ledger", "keys", "revoke", "wms")
    again = person.run("ledger", "keys", "create", "wms-2").stdout
    assert key not in again
