"""What a warehouse's stock file means: encoding, delimiter, columns and safety limits are declared, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from inventory_sync.ledger.values import DEFAULT_LABEL, Kind
from inventory_sync.systems.errors import WrongValue
from inventory_sync.systems.settings_words import words_of

DEFAULT_PROFILE = "default"
DEFAULT_SHRINK_PERCENT = 30
"""The fall in rows or units that passes for a normal day."""
DEFAULT_TIMEZONE = "Asia/Tokyo"
LONGEST_SEQUENCE = 18
"""Digits of a sequence number that fit a 64-bit column."""

SOURCE_KEYS = ("folder", "sftp")
"""What stands beside a profile and says where its files come from."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Encoding(StrEnum):
    """The encodings that a file may be declared to have."""

    UTF_8 = "utf-8"
    UTF_8_SIG = "utf-8-sig"
    CP932 = "cp932"
    EUC_JP = "euc-jp"
    UTF_16 = "utf-16"
    ISO_2022_JP = "iso-2022-jp"


class Delimiter(StrEnum):
    """CSV with quotes as RFC 4180 has them, or TSV where a quote is a character like any other."""

    CSV = "csv"
    TSV = "tsv"

    @property
    def character(self) -> str:
        return "," if self is Delimiter.CSV else "\t"


class Mode(StrEnum):
    """What a row's number is: the whole quantity, or a difference."""

    SET = "set"
    ADD = "add"


class FinalNewline(StrEnum):
    """Whether the last row must end with a line break. Where it need not, a cut inside its last field goes unseen."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class UnknownItems(StrEnum):
    """What becomes of a row whose SKU the ledger does not have: the file is refused, or the item is made."""

    REFUSE = "refuse"
    MAKE = "make"


class ProfileError(Exception):
    """A declared profile cannot work, or there is none of that name. The message says what would be right; `japanese`
    is the same message in Japanese."""

    code = "IS-FIL-030"

    def __init__(self, message: str, japanese: str) -> None:
        super().__init__(message)
        self.japanese = japanese


@dataclass(frozen=True, slots=True)
class Columns:
    """Header names, exactly as they stand in the file; None: the file has no such column."""

    sku: str = "sku"
    quantity: str = "quantity"
    location: str | None = "location"
    label: str | None = None
    updated_at: str | None = None
    mode: str | None = None
    reference: str | None = None

    def named(self) -> dict[str, str]:
        """The columns that the file must have: what they are to us → header name."""
        names = ("sku", "location", "label", "quantity", "updated_at", "mode", "reference")
        found = ((name, getattr(self, name)) for name in names)
        return {name: header for name, header in found if header is not None}


@dataclass(frozen=True, slots=True)
class FileProfile:
    """One kind of file from one source.

    `location` stands in for a column the file does not have, `label` for an empty or missing one. `kind` is what the
    differences of ADD rows are booked as. `snapshot`: what the file leaves out, at the locations it names, is zero.
    `shrink_percent`: rows or units that may vanish from one file to the next, 100 switches the guard off. `sequence`: a
    pattern with one group of digits in the file's name that orders files; None: their modification time does.
    `repeats`: equal content under a later time or number is a new statement, not the file that was applied before.
    """

    name: str = DEFAULT_PROFILE
    encoding: Encoding = Encoding.UTF_8_SIG
    delimiter: Delimiter = Delimiter.CSV
    columns: Columns = field(default_factory=Columns)
    mode: Mode = Mode.SET
    location: str = ""
    label: str = DEFAULT_LABEL
    kind: Kind = Kind.ADJUSTMENT
    unknown_items: UnknownItems = UnknownItems.REFUSE
    snapshot: bool = False
    negative: bool = False
    shrink_percent: int = DEFAULT_SHRINK_PERCENT
    final_newline: FinalNewline = FinalNewline.REQUIRED
    sequence: re.Pattern[str] | None = None
    repeats: bool = False
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo(DEFAULT_TIMEZONE))


HeaderName = Annotated[str, Field(min_length=1, max_length=200)]


class ColumnSettings(BaseModel):
    """Header names as a person declares them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: HeaderName = "sku"
    quantity: HeaderName = "quantity"
    location: HeaderName | None = None
    label: HeaderName | None = None
    updated_at: HeaderName | None = None
    mode: HeaderName | None = None
    reference: HeaderName | None = None

    @model_validator(mode="after")
    def _each_once(self) -> ColumnSettings:
        headers = [value for value in self.model_dump().values() if value is not None]
        if len(set(headers)) < len(headers):
            raise WrongValue("name a different header for each column", "列ごとに異なる見出しを書いてください")
        return self


class ProfileSettings(BaseModel):
    """A file profile as a person declares it in the configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: Encoding = Encoding.UTF_8_SIG
    format: Delimiter = Delimiter.CSV
    columns: ColumnSettings = ColumnSettings()
    mode: Mode = Mode.SET
    location: Annotated[str, Field(max_length=200)] = ""
    label: Annotated[str, Field(min_length=1, max_length=200)] = DEFAULT_LABEL
    kind: Kind = Kind.ADJUSTMENT
    unknown_items: UnknownItems = UnknownItems.REFUSE
    snapshot: bool = False
    negative: bool = False
    shrink_percent: Annotated[int, Field(ge=0, le=100)] = DEFAULT_SHRINK_PERCENT
    final_newline: FinalNewline = FinalNewline.REQUIRED
    sequence: Annotated[str, Field(max_length=200)] | None = None
    repeats: bool = False
    timezone: str | None = None

    @field_validator("sequence")
    @classmethod
    def _one_group(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise WrongValue(
                f"write a regular expression ({error})", "正規表現として読み取れません。書き方を確認してください"
            ) from None
        if groups != 1:
            raise WrongValue(
                r"write a pattern with one group of digits, such as stock_(\d+)\.csv",
                r"stock_(\d+)\.csv のように、数字のグループが一つある正規表現を書いてください",
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            ZoneInfo(value or DEFAULT_TIMEZONE)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise WrongValue(
                "write a time zone such as Asia/Tokyo", "Asia/Tokyo のようなタイムゾーンの名前を書いてください"
            ) from None
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> ProfileSettings:
        if self.columns.location is None and not self.location:
            raise WrongValue(
                "name a location column, or the location that the whole file speaks of",
                "ロケーションの列か、ファイル全体のロケーションを指定してください",
            )
        if self.columns.location is not None and self.location:
            raise WrongValue(
                "name a location column or one location, not both",
                "ロケーションの列とファイル全体のロケーションは、どちらか一方だけを指定してください",
            )
        if self.kind in (Kind.COUNT, Kind.CHANNEL):
            raise WrongValue(
                "a file's differences are no count and come from no channel: choose another kind",
                "ファイルの増減は棚卸でも販売チャネルの変動でもありません。別の kind を指定してください",
            )
        if self.snapshot and (self.mode is Mode.ADD or self.columns.mode is not None):
            raise WrongValue(
                "a snapshot only sets quantities: leave out mode and the mode column",
                "snapshot は在庫数を設定するだけです。mode と mode の列を削除してください",
            )
        return self

    def profile(self, name: str, timezone: str = DEFAULT_TIMEZONE) -> FileProfile:
        """The profile under this name; `timezone` is the one of the ledger, where none is declared."""
        return FileProfile(
            name=name,
            encoding=self.encoding,
            delimiter=self.format,
            columns=Columns(**self.columns.model_dump()),
            mode=self.mode,
            location=self.location,
            label=self.label,
            kind=self.kind,
            unknown_items=self.unknown_items,
            snapshot=self.snapshot,
            negative=self.negative,
            shrink_percent=self.shrink_percent,
            final_newline=self.final_newline,
            sequence=None if self.sequence is None else re.compile(self.sequence),
            repeats=self.repeats,
            timezone=ZoneInfo(self.timezone or timezone),
        )


def read_profiles(declared: Mapping[str, Any], timezone: str = DEFAULT_TIMEZONE) -> dict[str, FileProfile]:
    """Profiles by name, the default one included unless it is declared otherwise. Raises ProfileError.

    >>> found = read_profiles({"nightly": {"columns": {"sku": "品番", "quantity": "在庫"}, "location": "tokyo"}})
    >>> found["nightly"].columns.sku
    '品番'
    """
    found = {DEFAULT_PROFILE: FileProfile(timezone=ZoneInfo(timezone))}
    for name, value in declared.items():
        if not _NAME.fullmatch(name):
            raise ProfileError(
                f"{name!r}: name a profile in lower-case letters, digits and hyphens, 40 at most.",
                f"「{name}」: プロファイルの名前は英小文字、数字、ハイフンで 40 文字以内にしてください。",
            )
        try:
            settings = ProfileSettings.model_validate(_without_source(value))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ProfileError(
                f"Profile {name!r}, {where or 'as a whole'}: {first['msg']}.",
                f"プロファイル「{name}」の{where or '全体'}: {words_of(first)[1]}。",
            ) from None
        found[name] = settings.profile(name, timezone)
    return found


def _without_source(declared: Any) -> Any:
    """What is declared of the files themselves; where they come from is read elsewhere."""
    if not isinstance(declared, Mapping):
        return declared
    return {key: value for key, value in declared.items() if key not in SOURCE_KEYS}


def profile_named(profiles: Mapping[str, FileProfile], name: str) -> FileProfile:
    """The profile of that name. Raises ProfileError naming those that exist."""
    if name not in profiles:
        known = ", ".join(sorted(profiles))
        raise ProfileError(
            f"There is no file profile {name!r}. Profiles: {known}.",
            f"ファイルのプロファイル「{name}」はありません。プロファイル: {known}。",
        )
    return profiles[name]
