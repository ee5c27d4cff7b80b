"""The conformance kit: the same behaviours for every adapter, shown against a partner that is real or simulated.

Whoever adds a system brings a `Rig` (its partner, one connection, and a hand on everything between the two) and runs
`prove(behaviour, rig)` with a fresh rig for each of `BEHAVIOURS` that applies. What a system declares decides which
those are: a channel with orders, absolute writes or a single line to its partner has to show more, and other things,
than a ledger with a history. `python -m inventory_sync.conformance` lists them for the systems that are installed, and
`python -m inventory_sync.conformance MODULE:RIGS` shows them all and says per adapter what is proven.
"""

from inventory_sync.conformance import (
    calibrating,
    catalogue,
    connecting,
    doubt,
    notices,
    orders,
    pace,
    reading,
    writing,
)
from inventory_sync.conformance.book import Behaviour, Need, entered, prove
from inventory_sync.conformance.rig import (
    BelowZero,
    CalibratingRig,
    Door,
    FilingRig,
    GroupingRig,
    Impossible,
    Mail,
    OpenableRig,
    OrderingRig,
    Rig,
    RigMaker,
    Trouble,
)
from inventory_sync.conformance.running import Rigs, rigs_named, run
from inventory_sync.conformance.stage import NotApplicable, Violated
from inventory_sync.conformance.summary import Result, State, applying, table

BEHAVIOURS = entered(
    "connecting", "catalogue", "reading", "writing", "doubt", "orders", "notices", "calibrating", "pace"
)
"""Every behaviour, in the order in which an adapter is best written."""

__all__ = [
    "BEHAVIOURS",
    "Behaviour",
    "BelowZero",
    "CalibratingRig",
    "Door",
    "FilingRig",
    "GroupingRig",
    "Impossible",
    "Mail",
    "Need",
    "NotApplicable",
    "OpenableRig",
    "OrderingRig",
    "Result",
    "Rig",
    "RigMaker",
    "Rigs",
    "State",
    "Trouble",
    "Violated",
    "applying",
    "calibrating",
    "catalogue",
    "connecting",
    "doubt",
    "notices",
    "orders",
    "pace",
    "prove",
    "reading",
    "rigs_named",
    "run",
    "table",
    "writing",
]
