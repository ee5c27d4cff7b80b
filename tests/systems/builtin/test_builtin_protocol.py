"""What the adapter makes of answers that no ledger of ours gives, and of settings that cannot work."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inventory_sync.model.ids import OpId
from inventory_sync.systems.builtin import definition, protocol
from inventory_sync.systems.builtin.problems import PROBLEMS
from inventory_sync.systems.builtin.settings import BuiltinSettings
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, PartnerError, RetryLater
from inventory_sync.systems.http import HttpResponse
from inventory_sync.systems.port import EvidenceKind, Rejected, Role, Split, WriteMode
from tests.ledger.ledger_support import Clock
from tests.systems.builtin.builtin_support import Scripted, cell, client_of, op

READ = protocol.book()
WRITE = protocol.prepared_call(protocol.prepare([op(1, 1)], "k", installation="shop1", label="stock"))


@pytest.mark.parametrize(
    ("status", "of_read", "of_write"),
    [
        (301, Broken, Broken),
        (400, Bug, Bug),
        (401, Broken, Broken),
        (403, Broken, Broken),
        (404, Broken, Broken),
        (405, Bug, Bug),
        (408, RetryLater, Doubt),
        (409, Bug, Bug),
        (429, RetryLater, RetryLater),
        (500, RetryLater, Doubt),
        (502, RetryLater, Doubt),
        (503, RetryLater, Doubt),
    ],
)
def test_every_status_means_one_thing(status: int, of_read: type[PartnerError], of_write: type[PartnerError]) -> None:
    assert type(protocol.refusal(READ, HttpResponse(status, {}, b""))) is of_read
    assert type(protocol.refusal(WRITE, HttpResponse(status, {}, b""))) is of_write


def test_a_pause_that_is_asked_for_is_kept_within_reason() -> None:
    def pause(value: str) -> float:
        return protocol.retry_after(HttpResponse(429, {"retry-after": value}, b""))

    assert [pause(value) for value in ("0", "7", "99999", "soon", "")] == [1.0, 7.0, 600.0, 2.0, 2.0]


@given(st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16), st.uuids())
def test_a_mark_is_read_back(installation: str, number: Any) -> None:
    assert protocol.read_mark(protocol.mark(installation, OpId(number.hex))) == (installation, number.hex)


@pytest.mark.parametrize("text", ["", "is:", "is:Shop:1", "is:shop1:", "order is:shop1:1", "is:shop1:a b"])
def test_what_others_write_is_no_mark(text: str) -> None:
    assert protocol.read_mark(text) is None


def test_the_same_ops_make_the_same_bytes() -> None:
    one, two = (protocol.prepare([op(1, 1), op(2, 3)], "k", installation="s", label="stock") for _ in range(2))
    assert one == two
    assert one.key == "k"


@pytest.mark.parametrize("ops", [[], [op(1, 0)], [op(1, 10**9)], [op(n, 1) for n in range(501)]])
def test_what_cannot_be_said_is_never_sent(ops: list[Any]) -> None:
    with pytest.raises(Bug):
        protocol.prepare(ops, "k", installation="s", label="stock")


async def test_a_batch_too_large_for_a_ledger_is_split_and_a_single_line_is_refused() -> None:
    ops = [op(1, 1), op(2, 1, "B")]
    client = client_of(Scripted(HttpResponse(413, {}, b""), HttpResponse(413, {}, b"")), Clock(), {})
    assert isinstance(await client.send(client.compose(ops, "k"), ops), Split)
    outcome = await client.send(client.compose(ops[:1], "k"), ops[:1])
    assert isinstance(outcome, dict)
    assert isinstance(outcome[ops[0].op], Rejected)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"errors": [{"line": "1"}]}', b'{"errors": [{"line": 7}]}'])
async def test_a_refusal_that_names_no_line_of_ours_is_split(body: bytes) -> None:
    ops = [op(1, 1), op(2, 1, "B")]
    client = client_of(Scripted(HttpResponse(422, {}, body)), Clock(), {})
    assert isinstance(await client.send(client.compose(ops, "k"), ops), Split)


def entry(**changes: Any) -> dict[str, Any]:
    plain = {
        "reference": f"is:shop1:{1:032x}",
        "sku": "A",
        "location": "main",
        "delta": 2,
        "sequence": 5,
        "booked_at": "2026-04-01T00:00:00Z",
    }
    return plain | changes


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"entries": []},
        {"entries": [entry(sku="B")]},
        {"entries": [entry(delta=1)]},
        {"entries": [entry(reference="is:shop2:1")]},
        {"entries": [entry(sequence=None)]},
        {"entries": [entry(booked_at="soon")]},
        {"entries": [entry(), entry(reference="x")]},
    ],
)
async def test_an_answer_that_does_not_confirm_the_change_leaves_it_in_doubt(document: Any) -> None:
    ops = [op(1, 2)]
    client = client_of(Scripted(HttpResponse(200, {}, orjson.dumps(document))), Clock(), {})
    with pytest.raises(Doubt):
        await client.send(client.compose(ops, "k"), ops)


def active(**changes: Any) -> dict[str, Any]:
    plain = {"sku": "A", "location": "main", "label": "stock", "state": "active", "quantity": 3}
    return {**plain, "changed_at": "2026-04-01T00:00:00Z", **changes}


@pytest.mark.parametrize(
    "row",
    [
        active(quantity=None),
        active(quantity="3"),
        active(quantity=3.0),
        active(label="loose"),
        active(state="odd"),
        active(changed_at=None),
        active(sku="B"),
    ],
)
async def test_a_number_that_is_not_plain_is_never_guessed(row: dict[str, Any]) -> None:
    client = client_of(Scripted(HttpResponse(200, {}, orjson.dumps({"cells": [row]}))), Clock(), {})
    with pytest.raises(Bug):
        await client.read([cell()], changed_since=None)


async def test_an_answer_cut_short_is_asked_for_again() -> None:
    client = client_of(Scripted(HttpResponse(200, {}, b'{"cells": [')), Clock(), {})
    with pytest.raises(RetryLater):
        await client.read([cell()], changed_since=None)


def test_the_definition_says_what_the_ledger_can() -> None:
    able = definition.capabilities
    assert able.roles == {Role.LEDGER}
    assert (able.evidence, able.writes, able.absent_is_zero) == (EvidenceKind.KEY, WriteMode.RELATIVE, True)
    assert able.bases == {"stock", "on_hand", "free"}
    assert able.read_lag.total_seconds() > 0


def test_settings_stand_for_our_own_ledger_or_for_another_with_its_key() -> None:
    assert BuiltinSettings().in_process
    assert BuiltinSettings(base_url="builtin:").in_process
    other = BuiltinSettings(base_url="https://stock.example.jp/", api_key="isl_1_2")  # type: ignore[arg-type]
    assert (other.in_process, other.api_root) == (False, "https://stock.example.jp")


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "https://stock.example.jp"},
        {"api_key": "isl_1_2"},
        {"base_url": "stock.example.jp", "api_key": "k"},
        {"base_url": "https://u:p@stock.example.jp", "api_key": "k"},
        {"base_url": "https://stock.example.jp", "api_key": "a key"},
        {"base_url": "https://stock.example.jp", "api_key": ""},
        {"label": ""},
        {"timezone": "Mars/Base"},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        BuiltinSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.row("S2-2")
def test_a_connection_has_exactly_one_label() -> None:
    assert BuiltinSettings().label == "stock"
    assert BuiltinSettings(label="defective").label == "defective"
    for several in (["stock", "defective"], None):
        with pytest.raises(ValidationError):
            BuiltinSettings(label=several)  # type: ignore[arg-type]


def test_every_problem_speaks_two_languages() -> None:
    for code, problem in PROBLEMS.items():
        assert code.startswith("IS-BLT-")
        assert problem.en.isascii()
        assert problem.ja != problem.en
        assert problem.remedy_ja


def test_a_lock_out_of_scope_is_a_persons_to_mend() -> None:
    error = protocol.refusal(READ, HttpResponse(403, {}, b'{"code": "IS-LDG-003", "detail": "no"}'))
    assert isinstance(error, Broken)
    assert error.kind is BrokenKind.SCOPE
    assert "IS-LDG-003: no" in error.message
