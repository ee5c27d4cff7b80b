"""Planted bugs: each breaks one rule of the truth model, and the monitors must see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PLANTS: dict[str, Callable[[], Any]] = {}
