"""The end of a run: what was counted from the partners' logs, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.cli.demonstration.arrivals import Lags
from inventory_sync.cli.demonstration.counting import Count
from inventory_sync.cli.texts import Words
from inventory_sync.sandbox.kernel import Violation

FINDINGS = 12
"""Pairs spelt out in a report; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is known at the end. `window` and the times are seconds."""

    count: Count
    skus: int
    traded: float
    settled_in: float
    rested: bool
    window: float
    kills: int
    in_flight_at_kills: int
    down: float
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
        arrivals = count.arrivals
        return {
            "good": self.good,
            "skus": self.skus,
            "pairs": len(count.verdicts),
            "pairs_equal": count.equal,
            "units_lost": count.lost,
            "units_doubled": count.doubled,
            "units_doubled_and_taken_back": count.taken_back,
            "units_too_high": count.too_high,
            "staleness_window_s": self.window,
            "written_though_excluded": len(count.strays),
            "changes": arrivals.changes,
            "units_moved": arrivals.units,
            "changes_never_arrived": arrivals.never,
            "lag_s": {
                "decreases": arrivals.decreases.as_dict(),
                "increases": arrivals.increases.as_dict(),
                "untold": arrivals.untold.as_dict(),
            },
            "notices": self.notices,
            "requests_faulted": self.faulted,
            "daemon_kills": self.kills,
            "requests_in_flight_at_kills": self.in_flight_at_kills,
            "daemon_down_s": round(self.down, 2),
            "daemon_died": self.daemon_died,
            "partner_limit_violations": len(self.violations),
            "traded_s": round(self.traded, 1),
            "settled_in_s": round(self.settled_in, 1),
            "rested": self.rested,
            "findings": self.findings(),
        }

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
        return [
            say.either(
                f"{self.skus} 商品、{len(c.verdicts)} 組。{self.traded:.0f} 秒の取引: 変更 {c.arrivals.changes} 件、"
                f"{c.arrivals.units} 個",
                f"{self.skus} SKUs, {len(c.verdicts)} pairs, {self.traded:.0f} s of trade: "
                f"{c.arrivals.changes} changes, {c.arrivals.units} units",
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
                f"「多く伝えた」の基準: 直近 {self.window:.0f} 秒 (停止時間を加える) に台帳が示し得た最大値",
                f"too high means above the most the ledger can have shown in the last {self.window:.0f} s, "
                "plus time the daemon was down",
            ),
        ]

    def _lags(self, say: Words) -> list[str]:
        arrivals = self.count.arrivals
        kinds = (
            (say.either("減少", "decreases"), arrivals.decreases),
            (say.either("増加", "increases"), arrivals.increases),
            (say.either("通知なし・停止中", "no notice heard, or daemon down"), arrivals.untold),
        )
        return [
            say.either(f"反映まで: {name} {_lag(lags, say)}", f"lag of {name}: {_lag(lags, say)}")
            for name, lags in kinds
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
                f"kill -9: {self.kills} 回 (応答待ちの要求 {self.in_flight_at_kills} 件、停止 {self.down:.1f} 秒)",
                f"daemon kills (kill -9) {self.kills}, with {self.in_flight_at_kills} requests in flight, "
                f"{self.down:.1f} s down",
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
        f"p50 {usual:.2f} 秒、p99 {slow:.2f} 秒、最大 {lags.seconds[-1]:.2f} 秒 ({len(lags.seconds)} 件)",
        f"p50 {usual:.2f} s, p99 {slow:.2f} s, worst {lags.seconds[-1]:.2f} s ({len(lags.seconds)})",
    )
