"""The conformance kit: the same behaviours for every adapter, shown against a partner that is real or simulated.

Whoever adds a system brings a `Rig` (its partner, one connection, and a hand on everything between the two) and runs
`prove(behaviour, rig)` with a fresh rig for each of `BEHAVIOURS` that applies. `python -m inventory_sync.conformance`
lists them for the systems that are installed.
"""

from inventory_sync.conformance import catalogue, connecting, doubt, notices, pace, reading, writing
from inventory_sync.conformance.book import Behaviour, Need, entered, prove
from inventory_sync.conformance.rig import Door, Impossible, Mail, Rig, Trouble
from inventory_sync.conformance.stage import NotApplicable, Violated
from inventory_sync.conformance.summary import State, table

BEHAVIOURS = entered("connecting", "catalogue", "reading", "writing", "doubt", "notices", "pace")
"""Every behaviour, in the order in which an adapter is best written."""

__all__ = [
    "BEHAVIOURS",
    "Behaviour",
    "Door",
    "Impossible",
    "Mail",
    "Need",
    "NotApplicable",
    "Rig",
    "State",
    "Trouble",
    "Violated",
    "catalogue",
    "connecting",
    "doubt",
    "notices",
    "pace",
    "prove",
    "reading",
    "table",
    "writing",
]
