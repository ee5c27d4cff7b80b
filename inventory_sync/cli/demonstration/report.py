"""The end of a run: what was counted from the partners' logs, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.cli.demonstration.arrivals import Flow, Lags, Way
from inventory_sync.cli.demonstration.counting import Count
from inventory_sync.cli.demonstration.stories import Partner
from inventory_sync.cli.texts import Words
from inventory_sync.sandbox.kernel import Violation

FINDINGS = 12
"""Pairs spelt out in a report; the rest is counted."""

HEARD_WITHIN = 5.0
"""Seconds within which a new order at MakeShop is to be heard and booked at one request a second."""

HEARD = Way(Partner.CART, Partner.POS)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is known at the end. Times are seconds.

    `windows`: by partner, how old what is known of it may be. `between`: orders at MakeShop that were placed after a
    reading and before the write made from it. `silent`: the longest that MakeShop was asked for no orders.
    """

    count: Count
    skus: int
    cart_skus: int
    traded: float
    settled_in: float
    rested: bool
    windows: Mapping[Partner, float]
    between: int
    kills: int
    in_flight_at_kills: int
    down: float
    silent: float
    notices: dict[str, int]
    faulted: dict[str, int]
    violations: Sequence[Violation]
    daemon_died: bool = False

    @property
    def good(self) -> bool:
        return self.count.good and self.rested and not self.violations and not self.daemon_died

    def as_dict(self) -> dict[str, Any]:
        """The report with stable keys, for programs."""
        count = self.count
        return {
            "good": self.good,
            "skus": self.skus,
            "skus_at_makeshop": self.cart_skus,
            "pairs": len(count.verdicts),
            "pairs_equal": count.equal,
            "units_lost": count.lost,
            "units_doubled": count.doubled,
            "units_doubled_and_taken_back": count.taken_back,
            "units_too_high": count.too_high,
            "staleness_windows_s": {partner.label: seconds for partner, seconds in self.windows.items()},
            "written_though_excluded": len(count.strays),
            "changes": count.changes,
            "units_moved": count.units,
            "moved": {p.label: {"changes": n, "units": units} for p, (n, units) in count.moved.items()},
            "changes_never_arrived": count.never,
            "lag_s": {f"{way.origin.label} > {way.target.label}": _flow(flow) for way, flow in count.flows.items()},
            "makeshop_orders_heard_s": self._heard.as_dict() | {"within_5_s": self._heard.within(HEARD_WITHIN)},
            "makeshop_orders_between_reading_and_write": self.between,
            "notices": self.notices,
            "requests_faulted": self.faulted,
            "daemon_kills": self.kills,
            "requests_in_flight_at_kills": self.in_flight_at_kills,
            "daemon_down_s": round(self.down, 2),
            "makeshop_silent_s": round(self.silent, 2),
            "daemon_died": self.daemon_died,
            "partner_limit_violations": len(self.violations),
            "traded_s": round(self.traded, 1),
            "settled_in_s": round(self.settled_in, 1),
            "rested": self.rested,
            "findings": self.findings(),
        }

    @property
    def _heard(self) -> Lags:
        """From an order at MakeShop until the ledger was lower by it, where nothing held it up."""
        flow = self.count.flows.get(HEARD)
        return flow.decreases if flow is not None else Lags(())

    def findings(self) -> list[dict[str, Any]]:
        """What is wrong, pair by pair, the most units first."""
        wrong = [v for v in self.count.verdicts if not v.equal or v.lost or v.doubled]
        wrong.sort(key=lambda v: -(v.lost + v.doubled + abs(v.channel - v.ledger)))
        pairs = [
            {
                "pair": v.name,
                "expected": v.expected,
                "ledger": v.ledger,
                "channel": v.channel,
                "lost": v.lost,
                "doubled": v.doubled,
            }
            for v in wrong
        ]
        high = [{"pair": h.name, "at": h.at, "told": h.told, "most": h.most} for h in self.count.told_too_high]
        stray = [{"item": c.item, "location": c.location, "at": c.at, "delta": c.delta} for c in self.count.strays]
        broken = [{"rule": v.rule, "detail": v.detail, "at": v.at} for v in self.violations]
        return [*pairs, *high, *stray, *broken]

    def lines(self, say: Words) -> list[str]:
        """The report for people."""
        verdict = say.either("合格", "GOOD") if self.good else say.either("不合格", "NOT GOOD")
        return [
            "",
            say.either(
                "結果 (取引先シミュレーター自身の記録から数えたもの)",
                "Result, counted from the simulators' own event logs",
            ),
            *(f"  {text}" for text in (*self._counted(say), *self._lags(say), *self._disturbed(say))),
            *self._wrong(say),
            f"{verdict}",
        ]

    def _counted(self, say: Words) -> list[str]:
        c = self.count
        moved = ", ".join(f"{partner.label} {changes} ({units})" for partner, (changes, units) in c.moved.items())
        windows = ", ".join(f"{partner.label} {seconds:.0f}" for partner, seconds in self.windows.items())
        return [
            say.either(
                f"{self.skus} 商品 (うち MakeShop にも {self.cart_skus})、{len(c.verdicts)} 組。{self.traded:.0f} 秒の"
                f"取引: 変更 {c.changes} 件、{c.units} 個 [{moved}]",
                f"{self.skus} SKUs ({self.cart_skus} of them at MakeShop too), {len(c.verdicts)} pairs, "
                f"{self.traded:.0f} s of trade: {c.changes} changes, {c.units} units [changes (units): {moved}]",
            ),
            say.either(
                f"一致 {c.equal}/{len(c.verdicts)} 組 (取引終了から {self.settled_in:.1f} 秒後)",
                f"pairs equal {c.equal}/{len(c.verdicts)}, {self.settled_in:.1f} s after trade ended",
            ),
            say.either(
                f"失われた {c.lost} 個、二重 {c.doubled} 個 (打ち消し済み {c.taken_back} 個)、"
                f"多く伝えた {c.too_high} 個、対象外への書き込み {len(c.strays)} 件",
                f"units lost {c.lost}, doubled {c.doubled} (taken back {c.taken_back}), told too high {c.too_high}; "
                f"writes to excluded items {len(c.strays)}",
            ),
            say.either(
                f"「多く伝えた」の基準: 各取引先が直近に示し得た最大値 [秒: {windows}] (停止時間を加える)",
                f"too high means above the most that each partner can have shown lately [seconds: {windows}], "
                "plus time it could not be reached",
            ),
        ]

    def _lags(self, say: Words) -> list[str]:
        heard = self._heard
        lines = [
            say.either(
                f"{way.origin.label} → {way.target.label}: 減 {_lag(flow.decreases, say)} · 増 "
                f"{_lag(flow.increases, say)} · 障害あり {_lag(flow.disturbed, say)}",
                f"{way.origin.label} → {way.target.label}: down {_lag(flow.decreases, say)} · up "
                f"{_lag(flow.increases, say)} · held up {_lag(flow.disturbed, say)}",
            )
            for way, flow in self.count.flows.items()
        ]
        return [
            say.either(
                "反映まで (秒)。「障害あり」は通知の消失、停止、MakeShop への要求の障害にかかったもの",
                "lag in seconds; held up: no notice heard, daemon down, or a fault on the one line to MakeShop",
            ),
            *(f"  {line}" for line in lines),
            say.either(
                f"MakeShop の注文が台帳に届くまで: {_lag(heard, say)}、{HEARD_WITHIN:.0f} 秒以内 "
                f"{heard.within(HEARD_WITHIN)}/{len(heard.seconds)}。読取と書込の間に置かれた注文 {self.between} 件",
                f"MakeShop orders heard and booked: {_lag(heard, say)}, within {HEARD_WITHIN:.0f} s "
                f"{heard.within(HEARD_WITHIN)}/{len(heard.seconds)}; {self.between} orders fell exactly between "
                "our reading and our write",
            ),
        ]

    def _disturbed(self, say: Words) -> list[str]:
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.faulted.items()))
        lost, twice, mute = (self.notices.get(key, 0) for key in ("lost", "duplicated", "unanswered"))
        sent = self.notices.get("sent", 0)
        return [
            say.either(
                f"通知 {sent} 件: 消失 {lost}、重複 {twice}、応答の消失 {mute}",
                f"notices {sent}: lost {lost}, duplicated {twice}, answer lost {mute}",
            ),
            say.either(
                f"障害を受けた要求 {sum(self.faulted.values())} 件: {faults}",
                f"requests faulted {sum(self.faulted.values())}: {faults}",
            ),
            say.either(
                f"kill -9: {self.kills} 回 (応答待ちの要求 {self.in_flight_at_kills} 件、停止 {self.down:.1f} 秒、"
                f"MakeShop への沈黙は最長 {self.silent:.1f} 秒: リースとタイムアウトが過ぎるまで送らない)",
                f"daemon kills (kill -9) {self.kills}, with {self.in_flight_at_kills} requests in flight, "
                f"{self.down:.1f} s down; MakeShop without a list of orders for {self.silent:.1f} s at most (a serial "
                "partner is left alone until lease and time-out have passed)",
            ),
            say.either(
                f"取引先の制限違反 {len(self.violations)} 件", f"partner limit violations {len(self.violations)}"
            ),
        ]

    def _wrong(self, say: Words) -> list[str]:
        lines = []
        if self.daemon_died:
            lines.append(say.either("デーモンが自ら終了しました。", "The daemon ended by itself."))
        if not self.rested:
            lines.append(say.either("時間内に落ち着きませんでした。", "It did not come to rest in time."))
        found = self.findings()
        lines += ["  " + " ".join(f"{key}={value}" for key, value in each.items()) for each in found[:FINDINGS]]
        if len(found) > FINDINGS:
            lines.append(f"  … +{len(found) - FINDINGS}")
        return lines


def _lag(lags: Lags, say: Words) -> str:
    usual, slow = lags.at(0.5), lags.at(0.99)
    if usual is None or slow is None:
        return say.either("なし", "none")
    return say.either(
        f"p50 {usual:.2f} p99 {slow:.2f} 最大 {lags.seconds[-1]:.2f} ({len(lags.seconds)} 件)",
        f"p50 {usual:.2f} p99 {slow:.2f} worst {lags.seconds[-1]:.2f} ({len(lags.seconds)})",
    )


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        "decreases": flow.decreases.as_dict(),
        "increases": flow.increases.as_dict(),
        "held_up": flow.disturbed.as_dict(),
        "never": flow.never,
    }
