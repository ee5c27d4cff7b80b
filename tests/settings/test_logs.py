"""Logs: one layout for everybody's messages, and nothing in them that must not be."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from inventory_sync.logs import REDACTED, configure_logs, redact, redact_text


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_keeps_its_keys(output: io.StringIO) -> None:
    structlog.get_logger("inventory_sync.engine.push").info("push.acknowledged", op="a1", cells=250, lag_s=0.2)
    (line,) = lines(output)
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "push.acknowledged", "op": "a1", "cells": 250, "lag_s": 0.2,
        "level": "info", "logger": "inventory_sync.engine.push",
    }  # fmt: skip


def test_messages_of_the_standard_library_take_the_same_way(output: io.StringIO) -> None:
    logging.getLogger("some.package").warning(
        "login %s", "postgres://app:hunter2@db/x", extra={"password": "hunter2", "attempt": 3}
    )
    (line,) = lines(output)
    assert line["event"] == f"login postgres://app:{REDACTED}@db/x"
    assert (line["password"], line["attempt"], line["level"]) == (REDACTED, 3, "warning")


def test_a_traceback_is_cleaned_too(output: io.StringIO) -> None:
    try:
        raise ValueError("refused Bearer abcdef123456")
    except ValueError:
        structlog.get_logger("x").exception("push.failed")
        logging.getLogger("y").exception("also")
    for line in lines(output):
        assert "ValueError: refused" in line["exception"]
        assert "abcdef123456" not in line["exception"]


def test_levels_below_the_chosen_one_are_silent(output: io.StringIO) -> None:
    structlog.get_logger("x").debug("too.much")
    logging.getLogger("x").debug("too much")
    assert output.getvalue() == ""


def test_values_that_json_does_not_know_are_written_as_text(output: io.StringIO) -> None:
    structlog.get_logger("x").info("odd", value=ValueError("v"), by_number={1: {2}})
    (line,) = lines(output)
    assert (line["value"], line["by_number"]) == ("v", {"1": [2]})


def test_the_console_layout_hides_the_same(output: io.StringIO) -> None:
    stream = io.StringIO()
    configure_logs("info", "console", stream)
    structlog.get_logger("x").info("connection.verified", access_token="hunter2", shop="demo-jp")
    assert "demo-jp" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize(
    "key",
    [
        "token", "access_token", "accessToken", "client_secret", "PASSWORD", "Authorization", "hmac",
        "X-Shopify-Hmac-Sha256", "X-Shopify-Access-Token", "Set-Cookie", "api_key", "webhook_secret",
        "product_auth_code", "email", "customer_email", "phone", "phoneNumber", "shipping_address", "address1",
        "customer_name", "firstName", "customer",
    ],
)  # fmt: skip
def test_a_key_that_names_a_secret_or_a_customer_hides_its_value(key: str) -> None:
    for value in ("hunter2", b"hunter2", {"deep": "hunter2"}, ["hunter2"], 81312345678):
        assert redact(None, "info", {key: value}) == {key: REDACTED}
    nested = redact(None, "info", {"answer": {"list": [{key: "hunter2"}]}})
    assert nested == {"answer": {"list": [{key: REDACTED}]}}


@pytest.mark.parametrize(
    "key", ["sku", "location_name", "connection", "idempotency_key", "cells", "fencing_token", "tokens_left", "name"]
)
def test_keys_of_our_trade_are_shown(key: str) -> None:
    assert redact(None, "info", {key: "shown"}) == {key: "shown"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("got shpat_0123456789abcdef back", f"got {REDACTED} back"),
        ("shpss_ab12 and shpca_cd34", f"{REDACTED} and {REDACTED}"),
        ("authorization: bearer a.b-c_d", f"authorization: bearer {REDACTED}"),
        ("Basic dXNlcjpwYXNz", f"Basic {REDACTED}"),
        ("postgresql://app:p%40ss@db:5432/x", f"postgresql://app:{REDACTED}@db:5432/x"),
        ("GET /cb?code=abc&shop=demo&hmac=ff00", f"GET /cb?code={REDACTED}&shop=demo&hmac={REDACTED}"),
        ("order of taro.yamada@example.co.jp", f"order of {REDACTED}"),
        ("eyJhbGciOiJI.eyJzdWIi.sig-n_a", REDACTED),
        ("basic stock of 5 at https://demo.example.com:8080/x", "basic stock of 5 at https://demo.example.com:8080/x"),
    ],
)
def test_a_text_that_looks_like_a_secret_is_cut_out_of_its_message(text: str, expected: str) -> None:
    assert redact_text(text) == expected
    assert redact(None, "info", {"event": text, "detail": [text]}) == {"event": expected, "detail": [expected]}
