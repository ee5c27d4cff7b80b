"""Simulated Smaregi POS: token endpoint, stock, change history, catalogue, webhooks, and the trade behind them."""

from inventory_sync.sandbox.smaregi.notices import EVENTS, NoticeDelay, WebhookSettings
from inventory_sync.sandbox.smaregi.office import SmaregiSnapshot
from inventory_sync.sandbox.smaregi.records import Division
from inventory_sync.sandbox.smaregi.simulator import SmaregiSimulator
from inventory_sync.sandbox.smaregi.switches import ALL_SCOPES, JST, WEBHOOK_TIMEOUT, SmaregiSwitches
from inventory_sync.sandbox.smaregi.trade import OfflineSale, Transfer

__all__ = [
    "ALL_SCOPES",
    "EVENTS",
    "JST",
    "WEBHOOK_TIMEOUT",
    "Division",
    "NoticeDelay",
    "OfflineSale",
    "SmaregiSimulator",
    "SmaregiSnapshot",
    "SmaregiSwitches",
    "Transfer",
    "WebhookSettings",
]
