"""`guide` as a person reads it: who may do what at the partner, in both languages."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from inventory_sync.cli.main import app


@pytest.mark.row("S1-53")
@pytest.mark.parametrize(
    ("language", "who"),
    [
        ("en", ("owner", "staff", "collaborator", "right to develop apps")),
        ("ja", ("オーナー", "スタッフ", "コラボレーター", "アプリ開発の権限")),
    ],
)
def test_the_guide_says_who_may_make_the_older_app_beside_the_step(
    monkeypatch: pytest.MonkeyPatch, language: str, who: tuple[str, ...]
) -> None:
    shown = CliRunner().invoke(app, ["guide", "shopify"], env={"INVENTORY_SYNC_LANGUAGE": language})
    assert shown.exit_code == 0, shown.output
    text = shown.stdout.replace("\n", " ")
    for word in who:
        assert word in " ".join(text.split()), word
