"""The two CSV files as the port's file catalogue: which is which, and both of them or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inventory_sync.systems.errors import FileRefused
from inventory_sync.systems.makeshop.classic import layouts, problems
from inventory_sync.systems.makeshop.classic.account import ClassicSettings
from inventory_sync.systems.makeshop.classic.client import OPTION_COLUMNS, PRODUCT_COLUMNS
from inventory_sync.systems.makeshop.classic.generation import AcceptedColumns, Generation, read_generation
from inventory_sync.systems.makeshop.classic.table import (
    ColumnsChanged,
    GenerationRefused,
    Kind,
    NamedFile,
    columns_of,
    kind_of,
)
from inventory_sync.systems.values import FileGeneration
from inventory_sync.systems.values import NamedFile as HandedInFile

CONFIRM = "If the shop's export really looks like this now, hand the files in again with --confirm-columns."


class CsvCatalogue:
    """Implements `port.FileCatalogue` for 商品一括登録 and オプション一括登録 downloads."""

    def __init__(self, settings: ClassicSettings) -> None:
        self._encoding = layouts.encoding_named(settings.csv_encoding)

    @property
    def kinds(self) -> Sequence[str]:
        return tuple(kind.value for kind in Kind)

    def kind_of(self, file: HandedInFile) -> str:
        """By its columns, never by its name. Raises FileRefused."""
        try:
            kind = kind_of(columns_of(_named(file), self._encoding))
        except GenerationRefused as error:
            raise _refused(error, error.remedy) from error
        if kind is None:
            problem = problems.NOT_A_CATALOGUE_FILE
            raise FileRefused(problem.text(file.name), remedy=problem.remedy_en, code=problem.code)
        return kind.value

    def read(
        self, files: Mapping[str, HandedInFile], *, accepted: Mapping[str, str], confirmed: bool
    ) -> FileGeneration:
        """Both files as one generation. Raises FileRefused."""
        known = None if confirmed else _accepted(accepted)
        try:
            found = read_generation(
                _named(files[Kind.PRODUCT.value]),
                _named(files[Kind.OPTION.value]),
                encoding=self._encoding,
                accepted_columns=known,
            )
        except ColumnsChanged as error:
            raise _refused(error, CONFIRM) from error
        except GenerationRefused as error:
            raise _refused(error, error.remedy) from error
        return _generation(found)


def _named(file: HandedInFile) -> NamedFile:
    return NamedFile(file.name, file.body)


def _accepted(kept: Mapping[str, str]) -> AcceptedColumns | None:
    product, option = (kept.get(name, "") for name in (PRODUCT_COLUMNS, OPTION_COLUMNS))
    return AcceptedColumns(tuple(product.split("\t")), tuple(option.split("\t"))) if product and option else None


def _generation(found: Generation) -> FileGeneration:
    columns = {
        PRODUCT_COLUMNS: "\t".join(found.columns.product),
        OPTION_COLUMNS: "\t".join(found.columns.option),
    }
    return FileGeneration(found.items, found.levels, columns, tuple(f"{w.ja} / {w.en}" for w in found.warnings))


def _refused(error: GenerationRefused, remedy: str) -> FileRefused:
    place = f"{error.file}, row {error.row}" if error.row else error.file
    where = f"{place}, {error.column}" if error.column else place
    message = error.message if error.file in error.message else f"{where}: {error.message}"
    return FileRefused(message, remedy=remedy, code=error.code)
