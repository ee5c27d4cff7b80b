"""Stock files for the built-in ledger: what one means, how it is taken in whole or not at all, how one is made."""
