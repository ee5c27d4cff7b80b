"""What stands between a route and running, in plain words with the remedy, under codes that stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Step(StrEnum):
    """The order in which a route comes to run; each needs all before it."""

    CONNECT = "connect"
    LOCATIONS = "locations"
    FIELDS = "fields"
    MATCH = "match"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason why a route does not run. `subject`: the connection, location or field that it is about, or empty."""

    code: str
    subject: str
    step: Step
    en: str
    ja: str
    remedy_en: str
    remedy_ja: str

    @property
    def key(self) -> str:
        """The code with its subject, as refusals and stored reasons name it."""
        return f"{self.code}:{self.subject}" if self.subject else self.code

    def document(self) -> dict[str, Any]:
        """The blocker with stable keys, for JSON."""
        return {
            "code": self.code,
            "subject": self.subject,
            "step": self.step.value,
            "ja": self.ja,
            "en": self.en,
            "remedy": {"ja": self.remedy_ja, "en": self.remedy_en},
        }


@dataclass(frozen=True, slots=True)
class _Words:
    step: Step
    en: str
    ja: str
    remedy_en: str
    remedy_ja: str


_PREVIEW_EN = (
    "Look at `inventory-sync route preview {route}`, then `inventory-sync route start {route} --accept PREVIEW`."
)
_PREVIEW_JA = (
    "`inventory-sync route preview {route}` で内容を確認し、"
    "`inventory-sync route start {route} --accept PREVIEW` で開始してください。"
)
_STATUS_EN = "Follow the remedy that `inventory-sync status` shows for {subject}."
_STATUS_JA = "`inventory-sync status` に表示される {subject} の対処に従ってください。"

WORDS: Mapping[str, _Words] = {
    "connection_created": _Words(
        Step.CONNECT,
        "the connection {subject} was never proven at its partner",
        "接続 {subject} はまだ取引先で確認されていません",
        "Apply the configuration with its credentials: `inventory-sync apply FILE`.",
        "認証情報を設定ファイルに書き、`inventory-sync apply FILE` を実行してください。",
    ),
    "external_link_not_approved": _Words(
        Step.CONNECT,
        "the partner has not approved the connection {subject} yet: the application for linking with other software "
        "is under way",
        "接続 {subject} は取引先の承認待ちです。外部データ連携利用申請が完了していません",
        "Wait for the partner's mail; `inventory-sync status` says since when, and what to do if it is late.",
        "取引先からの連絡をお待ちください。経過と遅延時の対処は `inventory-sync status` に表示されます。",
    ),
    "connection_needs_action": _Words(
        Step.CONNECT,
        "the connection {subject} waits for something that only a person can do",
        "接続 {subject} には人の操作が必要です",
        _STATUS_EN,
        _STATUS_JA,
    ),
    "connection_broken": _Words(
        Step.CONNECT,
        "the partner refuses the connection {subject}",
        "接続 {subject} を取引先が受け付けていません",
        _STATUS_EN,
        _STATUS_JA,
    ),
    "connection_unlinked": _Words(
        Step.CONNECT,
        "the connection {subject} was taken away",
        "接続 {subject} は解除されています",
        "Connect the same account again: `inventory-sync connection relink {subject}`.",
        "同じアカウントに `inventory-sync connection relink {subject}` で接続し直してください。",
    ),
    "not_calibrated": _Words(
        Step.CONNECT,
        "nobody has found out yet how {subject} takes numbers",
        "接続 {subject} の在庫の書き込み方式が未確認です",
        "Run `inventory-sync connection calibrate {subject} ITEM` with an item that you name for it.",
        "確認用の商品を一つ決め、`inventory-sync connection calibrate {subject} ITEM` を実行してください。",
    ),
    "order_intake_not_configured": _Words(
        Step.CONNECT,
        "at {subject} the orders tell what was sold, and no list of orders ever came",
        "{subject} では受注が在庫変動の元になりますが、受注一覧をまだ一度も取得できていません",
        "Keep `inventory-sync serve` running; allow reading orders at the partner, and give it the address that "
        "`inventory-sync connection notify-url {subject}` prints.",
        "`inventory-sync serve` を動かし、取引先側で受注の参照を許可してください。更新通知の URL は "
        "`inventory-sync connection notify-url {subject}` で表示されます。",
    ),
    "no_locations": _Words(
        Step.LOCATIONS,
        "no location of the ledger goes with one of the channel",
        "在庫台帳と販売チャネルのロケーションが紐付けられていません",
        "Write `locations:` (or `pool:`) of the route into the file and apply it.",
        "設定ファイルのルートに `locations:`(または `pool:`)を書き、適用してください。",
    ),
    "field_empty": _Words(
        Step.FIELDS,
        "no item has a value in the field {subject} that items are matched by",
        "紐付けに使う項目 {subject} に値のある商品がありません",
        "Name the field that carries the code under `match:`, or fill it in at the partner.",
        "コードの入っている項目を `match:` に指定するか、取引先側で入力してください。",
    ),
    "catalogue_missing": _Words(
        Step.MATCH,
        "the catalogue of {subject} was never imported as a whole",
        "{subject} の商品をまだ一度も最後まで取り込んでいません",
        "Keep `inventory-sync serve` running until the import is done (`inventory-sync run list`); where the catalogue "
        "comes as files, hand in the whole set with `inventory-sync connection upload {subject} FILE FILE`.",
        "`inventory-sync serve` を動かし、取り込みの完了を待ってください(`inventory-sync run list`)。ファイルで渡す"
        "場合は一式をまとめて `inventory-sync connection upload {subject} FILE FILE` で渡してください。",
    ),
    "nothing_matched": _Words(
        Step.MATCH,
        "no item of the channel goes with one of the ledger",
        "一致した商品がありません",
        "`inventory-sync route show {route}` lists what almost matched, with the difference.",
        "惜しい商品と違いは `inventory-sync route show {route}` で確認できます。",
    ),
    "unmapped": _Words(
        Step.MATCH,
        "a person deleted the SKU mapping",
        "SKU の紐付けは削除されています",
        "Make it again: `inventory-sync route match {route}`.",
        "`inventory-sync route match {route}` で紐付け直してください。",
    ),
    "first_alignment": _Words(
        Step.ENABLE,
        "both sides were never made equal, and nobody looked at what that would change",
        "まだ一度も在庫を合わせておらず、変更内容が確認されていません",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "alignment": _Words(
        Step.ENABLE,
        "a setting changed which numbers it writes",
        "書き込む数が変わる設定変更がありました",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "watched": _Words(
        Step.ENABLE,
        "it was only watching: what moved meanwhile was not carried over",
        "見守りの間の変動は反映していません",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "zeroed": _Words(
        Step.ENABLE,
        "its channel was told 0 when it was stopped",
        "停止時に販売チャネルの在庫を 0 にしました",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "long_stop": _Words(
        Step.ENABLE,
        "it stood still for longer than partners' orders and changes are read back",
        "取引先の受注や変動をさかのぼれる期間より長く停止していました",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "restored": _Words(
        Step.ENABLE,
        "the database was restored, or lacks writes that a partner shows",
        "データベースが復元されたか、取引先にある書き込みの記録がありません",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "second_installation": _Words(
        Step.ENABLE,
        "another installation of this product writes to the same account",
        "同じアカウントに、このソフトの別の環境が書き込んでいます",
        "Find it and stop one of the two; then preview and start the route.",
        "どちらか一方を止めてから、プレビューして開始してください。",
    ),
    "orders_booked_twice": _Words(
        Step.ENABLE,
        "an order system books the same sales that we book",
        "受注システムが同じ売上を二重に計上しています",
        "Let one of the two book them (or write `sales: expect`), correct the ledger, then preview and start.",
        "計上する側を一つにし(または `sales: expect`)、台帳を直してから、プレビューして開始してください。",
    ),
    "second_writer": _Words(
        Step.ENABLE,
        "another program undoes what we write",
        "別のプログラムが書き込みを元に戻しています",
        "Switch the other one off (or this route), then preview and start.",
        "もう一方(またはこのルート)を止めてから、プレビューして開始してください。",
    ),
    "brake": _Words(
        Step.ENABLE,
        "the brake stopped it",
        "ブレーキが停止させました",
        "Look at `inventory-sync status`, then preview and start.",
        "`inventory-sync status` を確認してから、プレビューして開始してください。",
    ),
    "undone": _Words(
        Step.ENABLE,
        "a push of it was taken back",
        "反映を取り消しました",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
    "uninstalled": _Words(
        Step.ENABLE,
        "the app was removed at the partner",
        "取引先側でアプリが削除されました",
        "Connect again, then preview and start.",
        "接続し直してから、プレビューして開始してください。",
    ),
    "unlinked": _Words(
        Step.ENABLE,
        "a person took one of its connections away",
        "人が接続の連携を解除しました",
        "Connect again, then preview and start.",
        "接続し直してから、プレビューして開始してください。",
    ),
    "calibrated": _Words(
        Step.ENABLE,
        "how a partner takes numbers was found out anew since it ran",
        "接続の書き込み方式を確認し直したため、在庫を合わせ直します",
        _PREVIEW_EN,
        _PREVIEW_JA,
    ),
}


def connection_code(state: str) -> str:
    """The code of the blocker for a connection that is in a state other than linked.

    >>> connection_code("broken"), connection_code("awaiting_approval")
    ('connection_broken', 'external_link_not_approved')
    """
    return "external_link_not_approved" if state == "awaiting_approval" else f"connection_{state}"


def blocker(code: str, route: str, subject: str = "") -> Blocker:
    """A blocker in words. A code that a newer version stored is shown as it is, with where to look."""
    words = WORDS.get(code)
    if words is None:
        return Blocker(
            code,
            subject,
            Step.ENABLE,
            f"it was stopped for the reason {code!r}",
            f"停止の理由: {code}",
            _PREVIEW_EN.format(route=route),
            _PREVIEW_JA.format(route=route),
        )
    given = {"route": route, "subject": subject}
    texts = (words.en, words.ja, words.remedy_en, words.remedy_ja)
    en, ja, remedy_en, remedy_ja = (text.format(**given) for text in texts)
    return Blocker(code, subject, words.step, en, ja, remedy_en, remedy_ja)


def in_words(found: list[Blocker], japanese: bool) -> str:
    """Blockers as lines: what is wrong, the code, and what to do about it."""
    lines = []
    for each in found:
        text, remedy = (each.ja, each.remedy_ja) if japanese else (each.en, each.remedy_en)
        lines.append(f"- {text} [{each.key}]\n  {remedy}")
    return "\n".join(lines)
