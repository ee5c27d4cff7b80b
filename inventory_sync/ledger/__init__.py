"""The built-in ledger: a stock ledger of our own, for warehouses whose system has no API we could call."""
