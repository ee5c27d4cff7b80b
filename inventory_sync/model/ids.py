"""Names for ids, so that an item cannot be passed where a location is meant."""

from __future__ import annotations

from typing import NewType

# Our own row ids.
ConnectionId = NewType("ConnectionId", int)
LocationId = NewType("LocationId", int)
ItemId = NewType("ItemId", int)
CellId = NewType("CellId", int)
RouteId = NewType("RouteId", int)
PairId = NewType("PairId", int)
RunId = NewType("RunId", int)

# Ids made by us and shown to partners (memo, idempotency key).
OpId = NewType("OpId", str)
BatchId = NewType("BatchId", str)

# Ids made by a partner, kept exactly as the partner wrote them.
ItemKey = NewType("ItemKey", str)
LocationKey = NewType("LocationKey", str)
