"""Inventory sync: one stock ledger and several sales channels kept equal, in seconds, exactly once."""

__version__ = "0.1.0"
