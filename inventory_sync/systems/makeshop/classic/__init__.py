"""MakeShop's classic API (orders and products over plain HTTP, stock by CSV upload), for shops that still have it."""

from __future__ import annotations

from inventory_sync.systems.makeshop.classic.account import ClassicSettings
from inventory_sync.systems.makeshop.classic.client import (
    CAPABILITIES,
    OPTION_COLUMNS,
    PRODUCT_COLUMNS,
    ClassicClient,
    effective_capabilities,
    make_classic_client,
)
from inventory_sync.systems.makeshop.classic.generation import (
    AcceptedColumns,
    ColumnsChanged,
    FileWarning,
    Generation,
    GenerationRefused,
    NamedFile,
    read_generation,
)
from inventory_sync.systems.makeshop.classic.notices import NOTICE_TEMPLATE, ClassicNoticeParser
from inventory_sync.systems.makeshop.classic.switches import ClassicSwitches


def make_classic_notice_parser(settings: ClassicSettings) -> ClassicNoticeParser:
    """The parser of a connection's update notifications (更新通知API)."""
    return ClassicNoticeParser(settings)


__all__ = [
    "CAPABILITIES",
    "NOTICE_TEMPLATE",
    "OPTION_COLUMNS",
    "PRODUCT_COLUMNS",
    "AcceptedColumns",
    "ClassicClient",
    "ClassicNoticeParser",
    "ClassicSettings",
    "ClassicSwitches",
    "ColumnsChanged",
    "FileWarning",
    "Generation",
    "GenerationRefused",
    "NamedFile",
    "effective_capabilities",
    "make_classic_client",
    "make_classic_notice_parser",
    "read_generation",
]
