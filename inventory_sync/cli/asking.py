"""Questions to a person, in order: at a terminal, from lines on the standard input, or from a file of answers."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from inventory_sync.cli.shell import Exit, Failure, Session

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""An answer that stands in an environment variable."""


class Asker(Protocol):
    """Somebody who answers. `patient`: a wrong answer may be asked again."""

    @property
    def patient(self) -> bool: ...

    def ask(self, key: str, text: str, *, default: str | None = None, hidden: bool = False) -> str:
        """One answer. Raises Failure where there is none and no default."""
        ...

    def more(self, prefix: str, names: Sequence[str]) -> dict[str, str]:
        """Answers to what nobody asked for: the ones of these names, below a prefix."""
        ...

    def finish(self) -> None:
        """No more questions. Raises Failure for answers that nobody asked for."""
        ...


class Terminal:
    """A person at a terminal. What is hidden is not shown while it is typed."""

    patient = True

    def ask(self, key: str, text: str, *, default: str | None = None, hidden: bool = False) -> str:
        answer: str = typer.prompt(
            text, default=default, hide_input=hidden, err=True, show_default=bool(default), type=str
        )
        return answer

    def more(self, prefix: str, names: Sequence[str]) -> dict[str, str]:
        return {}

    def finish(self) -> None:
        return None


class Lines:
    """One line of the standard input for each question, in order; an empty one takes the default."""

    patient = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, key: str, text: str, *, default: str | None = None, hidden: bool = False) -> str:
        line = sys.stdin.readline()
        answer = line.rstrip("\r\n")
        if answer or (line and default is None):
            return answer
        if default is None:
            raise _unanswered(self._session, key)
        return default

    def more(self, prefix: str, names: Sequence[str]) -> dict[str, str]:
        return {}

    def finish(self) -> None:
        return None


class Written:
    """Answers from a YAML file, by key; groups nest."""

    patient = False

    def __init__(self, session: Session, answers: Mapping[str, str]) -> None:
        self._session = session
        self._answers = dict(answers)
        self._asked: set[str] = set()

    def ask(self, key: str, text: str, *, default: str | None = None, hidden: bool = False) -> str:
        self._asked.add(key)
        answer = self._answers.get(key)
        if answer is not None:
            return answer
        if default is None:
            raise _unanswered(self._session, key)
        return default

    def more(self, prefix: str, names: Sequence[str]) -> dict[str, str]:
        keys = {f"{prefix}.{name}": name for name in names}
        self._asked.update(keys)
        return {name: self._answers[key] for key, name in keys.items() if key in self._answers}

    def finish(self) -> None:
        for key in self._answers:
            if key not in self._asked:
                near = difflib.get_close_matches(key, sorted(self._asked), n=1, cutoff=0.6)
                hint = (
                    self._session.say.either(f" {near[0]} のことですか?", f" Did you mean {near[0]}?") if near else ""
                )
                text = self._session.say.either(f"この答えに合う質問はありません: {key}。", f"Nothing asks for {key}.")
                raise Failure("IS-CLI-033", text + hint, Exit.WRONG_USE)


def asker_for(session: Session, answers: Path | None) -> Asker:
    """Who answers: the file of answers, else the person at the terminal, else lines of the standard input."""
    if answers is None:
        return Terminal() if sys.stdin.isatty() else Lines(session)
    try:
        text = sys.stdin.read() if str(answers) == "-" else answers.read_text(encoding="utf-8-sig")
        found = YAML(typ="base", pure=True).load(text)
    except (OSError, UnicodeDecodeError, YAMLError, ValueError) as error:
        # what stands in the file may be a secret, so its own words are not repeated
        said = session.say.either(
            "回答ファイルを読めません (UTF-8 の YAML)", "The answers cannot be read as UTF-8 YAML"
        )
        raise Failure("IS-CLI-032", f"{said}: {answers}", Exit.WRONG_USE) from error
    return Written(session, _flat(found if isinstance(found, dict) else {}))


def _flat(values: Mapping[Any, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            found[f"{prefix}{key}"] = ",".join(str(each) for each in value)
        elif value is not None:
            found[f"{prefix}{key}"] = str(value)
    return found


def resolved(session: Session, key: str, value: str, environ: Mapping[str, str]) -> str:
    """An answer with the environment variable it names put in. Raises Failure for one that is not set."""
    named = REFERENCE.fullmatch(value)
    if named is None:
        return value
    found = environ.get(named.group(1))
    if found is None:
        text = session.say.either(
            f"環境変数 {named.group(1)} が設定されていません。設定してから実行してください。",
            f"the environment variable {named.group(1)} is not set.",
        )
        raise Failure("IS-CFG-019", f"{key}: {text}")
    return found


def _unanswered(session: Session, key: str) -> Failure:
    text = session.say.either(f"答えがありません: {key}", f"There is no answer to {key}.")
    return Failure("IS-CLI-032", text, Exit.WRONG_USE)
