"""Why a write did not take effect, in words: ours have Japanese, and a partner's particulars can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from inventory_sync.cli import run_texts
from inventory_sync.cli.partners import problems_in_japanese, told
from inventory_sync.cli.texts import Words
from inventory_sync.engine.alert_words import described
from inventory_sync.engine.reasons import IN_JAPANESE, Reason, reason_in_japanese
from inventory_sync.systems.builtin.problems import PROBLEMS as BUILTIN
from inventory_sync.systems.makeshop.classic.problems import PROBLEMS as CLASSIC
from inventory_sync.systems.makeshop.problems import PROBLEMS as MAKESHOP
from inventory_sync.systems.shopify.problems import PROBLEMS as SHOPIFY
from inventory_sync.systems.smaregi.problems import PROBLEMS as SMAREGI


def test_every_reason_of_our_own_has_japanese_words() -> None:
    assert set(IN_JAPANESE) == set(Reason)
    assert not any(text.isascii() for text in IN_JAPANESE.values())


@pytest.mark.parametrize("problems", [BUILTIN, CLASSIC, MAKESHOP, SHOPIFY, SMAREGI])
def test_no_sentence_of_a_problem_has_a_colon_before_its_particulars(problems: Mapping[str, Any]) -> None:
    assert [each.en for each in problems.values() if ": " in each.en] == []


def test_a_status_tells_the_particulars_of_a_broken_connection_in_japanese() -> None:
    message = "The app lacks a scope: pos.stock:write; PATCH /pos/stock: HTTP 403"
    reason, remedy = told("ja", "IS-SMR-003", message, "Switch it on.")
    assert reason.endswith("まだ承認されていません(pos.stock:write; PATCH /pos/stock: HTTP 403)")
    assert remedy.startswith("表示されたスコープを")
    assert told("en", "IS-SMR-003", message, "Switch it on.") == (message, "Switch it on.")


def test_a_defect_is_alerted_with_its_problem_in_both_languages() -> None:
    detail = {"problem": "IS-SHP-030", "message": "Shopify refused the request as malformed: no field x"}
    alert = {"code": "bug", "subject": "shop", "detail": detail}
    title = described(alert, problems_in_japanese())["title"]
    assert title["ja"] == "プログラムの不具合: 要求の形式が正しくないとして拒否されました(no field x)"
    assert title["en"] == "a defect of the program: Shopify refused the request as malformed: no field x"


def test_a_code_that_nobody_knows_leaves_the_text_as_it_was_stored() -> None:
    assert reason_in_japanese({}, "IS-XYZ-001", "No more: HTTP 500") == "No more: HTTP 500"
    assert run_texts.reason(Words("ja"), "a partner of old said no") == "a partner of old said no"
    assert run_texts.reason(Words("ja"), "superseded", None) == "新しい実行に引き継ぎました"


def test_a_list_that_was_not_believed_is_told_with_its_numbers() -> None:
    for text in (
        "the partner listed 3 items where 10 were known: the list is not believed",
        "the partner listed 3 levels where 10 are known: the list is not believed",
    ):
        told_ja = run_texts.reason(Words("ja"), text)
        assert told_ja == "取引先の一覧には 10 件のうち 3 件しかなかったため、採用しませんでした"
        assert run_texts.reason(Words("en"), text) == text
