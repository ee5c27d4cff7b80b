"""Making a pair equal for the first time, and again after a stop (the truth model's rule 3.10).

The first reading of a pair is knowledge, not movement. What a person confirms is the *gap* between the two base
readings; it is carried out as one relative op, so that trade may go on meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, assert_never

from inventory_sync.model.publish import PublishRule, more_than_there_is, published, shared

MOST_PAIRS_PER_HOUR = 200
"""New pairs that a running route aligns by itself within an hour; any more wait for a person."""

LARGEST_MOVE = 50
"""Units by which a new pair's channel, if it is above 0, may be moved without a person."""


class AlignPolicy(StrEnum):
    """Which side a route's alignment follows."""

    LEDGER_WINS = "ledger_wins"
    CHANNEL_WINS = "channel_wins"
    KEEP_DIFFERENCE = "keep_difference"


class CellCondition(StrEnum):
    """What a cell is at its partner; only an ACTIVE cell has a number. The words are those of the system port."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ABSENT = "absent"
    UNTRACKED = "untracked"
    GONE = "gone"
    UNREADABLE = "unreadable"


class PreviewAction(StrEnum):
    """What an alignment would do with a pair."""

    WRITE_CHANNEL = "write_channel"
    WRITE_LEDGER = "write_ledger"
    KEEP = "keep"
    NOTHING = "nothing"
    EXCLUDED = "excluded"


class BaseSide(NamedTuple):
    """One side of a pair at its base reading. `level` in units is None unless the cell is ACTIVE. A tuple, as are the
    lines of previews: of catalogues of 100,000 pairs many are made.

    The ledger's level is the pair's effective quantity. `can_activate` is for a channel whose system lets a cell be
    switched on; what it then holds is read before anything is written.
    """

    condition: CellCondition
    level: int | None
    can_activate: bool = False


class PreviewRow(NamedTuple):
    """One line of a preview: what happens to the cell that is written, and why, in both languages.

    `before`, `after` and `delta` belong to the written cell; for KEEP, NOTHING and EXCLUDED to the channel cell.
    `kept` is the gap that is added to the pair's targets from now on, `owed` the units to be posted to the ledger.
    """

    action: PreviewAction
    before: int | None
    after: int | None
    delta: int
    why_en: str
    why_ja: str
    kept: int = 0
    owed: int = 0


def check_policy(policy: AlignPolicy, rule: PublishRule) -> tuple[str, str] | None:
    """Why this policy has no meaning with this rule, in English and Japanese, or None.

    >>> check_policy(AlignPolicy.CHANNEL_WINS, PublishRule(percent=50))[0]
    'channel_wins needs percent 100 and no maximum: a share or a capped number does not say how much stock there is'
    """
    if policy is not AlignPolicy.CHANNEL_WINS or rule.plain:
        return None
    if rule.percent == 100 and rule.maximum is None:
        return (
            "channel_wins needs no end_when: a number that is told as 0 does not say how much stock there is",
            "channel_wins では end_when を使えません(0 と表示した在庫数からは、実際の在庫数が分かりません)",
        )
    return (
        "channel_wins needs percent 100 and no maximum: a share or a capped number does not say how much stock there "
        "is",
        "channel_wins では percent を 100 とし、max は書きません(割合や上限をかけた在庫数からは、実際の在庫数が"
        "分かりません)",
    )


def preview(
    ledger: BaseSide, channel: BaseSide, rule: PublishRule, policy: AlignPolicy, *, held: int = 0
) -> PreviewRow:
    """The line of one pair. Raises ValueError where `check_policy` has an objection.

    >>> active = CellCondition.ACTIVE
    >>> row = preview(BaseSide(active, 10), BaseSide(active, 4), PublishRule(), AlignPolicy.LEDGER_WINS)
    >>> (row.action.value, row.before, row.after, row.delta)
    ('write_channel', 4, 10, 6)
    """
    if rule.excluded:
        return _left_out(channel)
    objection = check_policy(policy, rule)
    if objection is not None:
        raise ValueError(objection[0])
    target = published(ledger.level or 0, rule, held=held)
    excluded = _excluded(ledger, channel, policy, target)
    if excluded is not None or ledger.level is None or channel.level is None:
        return excluded or _row_excluded(channel.level, "no number was read yet", "まだ在庫数を読み取っていません")
    if target == channel.level:
        return _nothing(channel.level, "both sides agree already", "両方の在庫数は一致しています")
    match policy:
        case AlignPolicy.LEDGER_WINS:
            return _ledger_wins(ledger.level, channel.level, target)
        case AlignPolicy.CHANNEL_WINS:
            return _channel_wins(ledger.level, channel.level, _uncut(ledger.level, rule, held))
        case AlignPolicy.KEEP_DIFFERENCE:
            return _keep_difference(channel.level, target, _uncut(ledger.level, rule, held), rule)
        case _:
            assert_never(policy)


def _uncut(ledger: int, rule: PublishRule, held: int) -> int:
    """The target before it is cut off at 0."""
    return shared(ledger, rule) + rule.offset - held


def _ledger_wins(ledger: int, channel: int, target: int) -> PreviewRow:
    """The channel moves by target − channel; one below 0 stays as it stands until its target is above 0."""
    if channel < 0 and target == 0:
        return _below_zero(channel)
    beyond = more_than_there_is(target, ledger)
    return PreviewRow(
        PreviewAction.WRITE_CHANNEL,
        channel,
        target,
        target - channel,
        f"the ledger wins: it has {ledger}, so the channel is told {target}"
        + (f", {beyond} more than there is (pre-orders)" if beyond else ""),
        f"在庫台帳を優先します: 台帳は{ledger}なので、販売チャネルを{target}にします"
        + (f"(予約販売として実在庫より{beyond}多く公開)" if beyond else ""),
    )


def _channel_wins(ledger: int, channel: int, wanted: int) -> PreviewRow:
    """The ledger moves by channel − wanted, where `wanted` is the target before it is cut off at 0.

    With the cut-off number a ledger below its buffer would be raised too little, and the channel told less at once. A
    channel that has nothing to sell never raises the ledger.
    """
    delta = channel - wanted
    if channel <= 0 and delta >= 0:
        return _below_zero(channel)
    return PreviewRow(
        PreviewAction.WRITE_LEDGER,
        ledger,
        ledger + delta,
        delta,
        f"the channel wins: it has {channel}, so the ledger is moved from {ledger} to {ledger + delta}",
        f"販売チャネルを優先します: チャネルは{channel}なので、在庫台帳を{ledger}から{ledger + delta}にします",
        owed=delta,
    )


def _keep_difference(channel: int, target: int, wanted: int, rule: PublishRule) -> PreviewRow:
    """The gap is remembered, so that the target is what the channel shows now (0 for a channel below 0).

    The gap is counted from `wanted`, the target before it is cut off at 0: a target is cut off only after the gap was
    added. A channel below 0 whose target is 0 anyway needs no gap, and one that shows so little that it is told 0
    keeps none.
    """
    if channel < 0 and target == 0:
        return _below_zero(channel)
    if 0 < channel <= rule.end_when:
        return _ended(channel, rule.end_when)
    kept = channel - wanted
    return PreviewRow(
        PreviewAction.KEEP,
        channel,
        channel,
        0,
        f"the difference is kept: the channel stays at {channel}, {kept:+d} against what the ledger gives",
        f"差を残します: 販売チャネルは{channel}のまま、台帳から計算した数との差は{kept:+d}です",
        kept=kept,
    )


def _ended(channel: int, end_when: int) -> PreviewRow:
    return PreviewRow(
        PreviewAction.WRITE_CHANNEL,
        channel,
        0,
        -channel,
        f"{channel} are left, and the publish rule ends at {end_when}: the channel is told 0",
        f"残り{channel}は、公開設定の終了数{end_when}以下のため、販売チャネルを0にします",
    )


def _left_out(channel: BaseSide) -> PreviewRow:
    """An item that a publish rule leaves out is not written; what it sells is carried all the same."""
    words = ("the publish rule leaves it out: nothing is written", "公開設定で対象外のため、何も書き込みません")
    if channel.condition is not CellCondition.ACTIVE or channel.level is None:
        return _row_excluded(channel.level, *words)
    return _nothing(channel.level, *words)


def unreadable_backwards(channel: BaseSide) -> PreviewRow:
    """The line of a pair whose own publish rule does not say how much stock its channel's number stands for."""
    return _row_excluded(
        channel.level,
        "its publish rule tells a share, a cap or an end, which does not say how much stock there is",
        "割合・上限・終了数の公開設定があるため、販売チャネルの数から在庫を求められません",
    )


def _below_zero(channel: int) -> PreviewRow:
    return _nothing(
        channel,
        f"the channel stands at {channel} and there is nothing to sell: it stays until there is",
        f"販売チャネルは{channel}で、販売できる在庫がないため、在庫ができるまでそのままにします",
    )


def _nothing(channel: int, why_en: str, why_ja: str) -> PreviewRow:
    return PreviewRow(PreviewAction.NOTHING, channel, channel, 0, why_en, why_ja)


_CONDITION_WORDS = {
    CellCondition.ACTIVE: ("gave no number", "在庫数がありません"),
    CellCondition.INACTIVE: ("does not stock it at this location (switched off)", "このロケーションで取扱停止中です"),
    CellCondition.ABSENT: ("does not stock it at this location", "このロケーションに在庫の行がありません"),
    CellCondition.UNTRACKED: (
        "does not count its stock (untracked or unlimited)",
        "在庫管理をしていません(無制限など)",
    ),
    CellCondition.GONE: ("no longer has it", "商品またはロケーションがなくなりました"),
    CellCondition.UNREADABLE: ("cannot be read, only written", "在庫数を読み取れません(書き込みのみ可能)"),
}


def _excluded(ledger: BaseSide, channel: BaseSide, policy: AlignPolicy, target: int) -> PreviewRow | None:
    """The line of a pair of which one side has no number, or None where both have one."""
    if ledger.condition is not CellCondition.ACTIVE or ledger.level is None:
        words = _CONDITION_WORDS[ledger.condition]
        return _row_excluded(channel.level, f"the ledger {words[0]}", f"在庫台帳: {words[1]}")
    if channel.condition is CellCondition.ACTIVE and channel.level is not None:
        return None
    if channel.condition is CellCondition.UNREADABLE and policy is AlignPolicy.LEDGER_WINS:
        return _told_blindly(ledger.level, target)
    off = channel.condition in (CellCondition.INACTIVE, CellCondition.ABSENT)
    if off and channel.can_activate and policy is AlignPolicy.LEDGER_WINS:
        return _switched_on(ledger.level, target)
    words = _CONDITION_WORDS[channel.condition]
    return _row_excluded(None, f"the channel {words[0]}", f"販売チャネル: {words[1]}")


def _told_blindly(ledger: int, target: int) -> PreviewRow:
    return PreviewRow(
        PreviewAction.WRITE_CHANNEL,
        None,
        target,
        target,
        f"the ledger wins: it has {ledger}; the channel's number cannot be read, and is told {target}",
        f"在庫台帳を優先します: 台帳は{ledger}です。販売チャネルの在庫数は読み取れないため、{target}を書き込みます",
    )


def _switched_on(ledger: int, target: int) -> PreviewRow:
    if target == 0:
        return PreviewRow(
            PreviewAction.NOTHING,
            None,
            None,
            0,
            "the channel does not stock it at this location, and there is nothing to sell",
            "販売チャネルはこのロケーションで取り扱っておらず、販売できる在庫もありません",
        )
    return PreviewRow(
        PreviewAction.WRITE_CHANNEL,
        None,
        target,
        target,
        f"the ledger wins: it has {ledger}; the channel's cell is switched on, read, and then told {target}",
        f"在庫台帳を優先します: 台帳は{ledger}です。販売チャネルで取扱を開始し、読み取ってから{target}にします",
    )


def _row_excluded(before: int | None, why_en: str, why_ja: str) -> PreviewRow:
    return PreviewRow(PreviewAction.EXCLUDED, before, before, 0, why_en, why_ja)


class Waiting(StrEnum):
    """Why a pair waits for a person although its route runs."""

    MANY_NEW_PAIRS = "many_new_pairs"
    LARGE_MOVE = "large_move"
    BOTH_ROSE = "both_rose"


def needs_person(*, channel: int | None, delta: int, pairs_in_last_hour: int) -> Waiting | None:
    """Why a pair that appeared while its route runs waits in a preview, or None: the ledger wins, at once.

    `channel` is the channel's level (None: it had none), `delta` what it would be moved by, `pairs_in_last_hour` the
    pairs that appeared at the route within the hour, this one included.

    >>> needs_person(channel=3, delta=51, pairs_in_last_hour=1)
    <Waiting.LARGE_MOVE: 'large_move'>
    >>> needs_person(channel=0, delta=51, pairs_in_last_hour=200) is None
    True
    """
    if pairs_in_last_hour > MOST_PAIRS_PER_HOUR:
        return Waiting.MANY_NEW_PAIRS
    if channel is not None and channel > 0 and abs(delta) > LARGEST_MOVE:
        return Waiting.LARGE_MOVE
    return None


@dataclass(frozen=True, slots=True)
class Catch:
    """What is delivered after a stop: signed units each way, and what waits for a person, and why."""

    to_channel: int
    to_ledger: int
    waiting_to_channel: int = 0
    waiting_to_ledger: int = 0
    waits: Waiting | None = None


def after_stop(*, ledger_moved: int, channel_moved_up: int, channel_moved_down: int) -> Catch:
    """What a pair that moved while its route was stopped delivers to each side when it starts again.

    `ledger_moved` is the signed difference of the ledger; `channel_moved_up` ≥ 0 and `channel_moved_down` ≤ 0 are the
    sums of the channel's movements. Falls are always delivered. Where both sides rose, both rises wait: clerks may
    have entered one delivery of goods on both sides by hand. Raises ValueError on a sum with the wrong sign.

    >>> after_stop(ledger_moved=5, channel_moved_up=5, channel_moved_down=-2)
    Catch(to_channel=0, to_ledger=-2, waiting_to_channel=5, waiting_to_ledger=5, waits=<Waiting.BOTH_ROSE: 'both_rose'>)
    """
    if channel_moved_up < 0 or channel_moved_down > 0:
        raise ValueError(f"rises are never below 0 ({channel_moved_up}), falls never above ({channel_moved_down})")
    if ledger_moved > 0 and channel_moved_up > 0:
        return Catch(
            to_channel=0,
            to_ledger=channel_moved_down,
            waiting_to_channel=ledger_moved,
            waiting_to_ledger=channel_moved_up,
            waits=Waiting.BOTH_ROSE,
        )
    return Catch(to_channel=ledger_moved, to_ledger=channel_moved_down + channel_moved_up)
