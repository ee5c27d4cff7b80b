"""The demonstration: partners, trade, the real daemon between them, and a count made from the partners' own logs."""
