"""Words of the engine as people read them: conditions, reasons to wait, alerts, and what people did."""

from __future__ import annotations

from collections.abc import Mapping

CONDITIONS: Mapping[str, tuple[str, str]] = {
    "active": ("有効", "active"),
    "inactive": ("この場所では無効", "inactive at this place"),
    "untracked": ("在庫管理オフ", "stock not managed"),
    "absent": ("行なし", "no row"),
    "gone": ("商品なし", "gone"),
    "unreadable": ("数を読み取れない", "not readable"),
    "unread": ("未読", "never read"),
}
"""What a partner said of a cell when it was read."""

WAITS: Mapping[str, tuple[str, str]] = {
    "": ("順番待ち", "its turn"),
    "route_stopped": ("ルートの停止中", "the route, which is stopped"),
    "watching": ("見守り中", "the route, which only watches"),
    "not_aligned": ("プレビューの承認待ち", "its preview to be accepted"),
    "waiting_for_a_person": ("人の確認待ち", "a person"),
    "catching_up": ("停止後の読み直し中", "both sides to be read again"),
    "unread": ("最初の読み取り待ち", "its first reading"),
    "not_published": ("公開設定で対象外", "the publish rule, which leaves it out"),
    "not_active": ("この場所では在庫が無効", "its level to be active"),
    "ledger_not_readable": ("台帳を読み取れない", "the ledger to be readable"),
    "ledger_dirty": ("台帳の読み直し待ち", "the ledger to be read"),
    "ledger_in_doubt": ("台帳への書き込みの確認中", "a write to the ledger in doubt"),
    "quarantined": ("隔離中", "its quarantine to end"),
    "in_flight": ("前の書き込みの応答待ち", "the answer to a write under way"),
    "read_first": ("先に読み直し", "a reading"),
    "below_zero": ("予約注文で 0 未満", "a number above zero"),
    "unexplained": ("注文で説明できない差の確認中", "a difference that no order explains"),
    "fall_read_first": ("販売チャネルの読み直し待ち", "the channel to be read"),
    "in_run": ("一括反映の順番待ち", "its turn in a run"),
    "held_by_brake": ("保留中", "what is held to be released"),
}
"""What a decided write waits for, by the engine's own word."""

ALERTS: Mapping[str, tuple[str, str]] = {
    "approval_overdue": ("承認の遅れ", "approval overdue"),
    "brake": ("ブレーキによる保留", "held by the brake"),
    "bug": ("プログラムの不具合", "a defect of the program"),
    "callbacks_missing": ("コールバックの未着", "callbacks stay away"),
    "catalogue_vanished": ("商品一覧の消失", "catalogue vanished"),
    "connection_broken": ("接続の異常", "connection broken"),
    "credential_expires": ("認証情報の期限", "credentials expire"),
    "housekeeping_failing": ("定期処理の失敗", "housekeeping fails"),
    "ledger_file_refused": ("台帳ファイルの拒否", "ledger file refused"),
    "ledger_files_overdue": ("台帳ファイルの未着", "ledger files overdue"),
    "ledger_files_unreachable": ("台帳ファイルの取得元に接続不可", "server of ledger files not reached"),
    "levels_vanished": ("在庫数の消失", "levels vanished"),
    "orders_booked_twice": ("売上の二重計上", "orders booked twice"),
    "orders_kept": ("紐付けのない注文", "orders of unknown items"),
    "oversold": ("売り越し", "oversold"),
    "pairs_waiting": ("確認待ちの商品", "items that wait for a person"),
    "preview_ready": ("プレビューの準備完了", "preview ready"),
    "quarantined": ("商品の隔離", "quarantined"),
    "restored": ("データベースの復元", "database restored"),
    "runaway": ("数の繰り返し増減", "a number that runs away"),
    "sale_not_booked": ("売上の未計上", "sale not booked"),
    "second_installation": ("別の環境の稼働", "second installation"),
    "second_writer": ("別プログラムの書き込み", "second writer"),
    "stocktake": ("棚卸による保留", "held by a stock-take"),
    "uncertain": ("結果不明の書き込み", "uncertain"),
    "unpaid_policy_void": ("未入金の注文の設定が無効", "policy for unpaid orders void"),
}
"""Alerts by their code; one that is not here is said by its code."""

DONE: Mapping[str, str] = {
    "brake.released": "ブレーキの保留を解除",
    "connection.added": "接続を追加",
    "connection.applied_for": "承認を申請",
    "connection.changed": "接続の設定を変更",
    "connection.created": "接続を作成",
    "connection.calibrated": "接続を調整",
    "connection.files_taken": "商品ファイルを取り込み",
    "connection.granted": "承認を記録",
    "connection.relinked": "接続を再連携",
    "connection.removed": "接続を削除",
    "connection.renewed": "認証情報を更新",
    "connection.step": "接続の手順を記録",
    "connection.unlinked": "接続を解除",
    "connection.verified": "接続を確認",
    "job.switched_off": "ジョブをオフに設定",
    "job.switched_on": "ジョブをオンに設定",
    "ledger.hook_created": "台帳の通知先を追加",
    "ledger.hook_removed": "台帳の通知先を削除",
    "ledger.key_created": "台帳の鍵を作成",
    "ledger.key_revoked": "台帳の鍵を無効化",
    "match.table": "対応表を変更",
    "order.line_dropped": "注文の明細を対象外に設定",
    "order.line_skipped": "紐付けのない注文の明細を対象外に",
    "pair.counted": "数え直しを記録",
    "publish.auto_buffers": "自動の安全在庫を変更",
    "publish.imported": "公開設定を変更",
    "publish.offset_ended": "公開設定の加減が終了",
    "push.started": "一括反映を開始",
    "push.undone": "一括反映を取り消し",
    "quarantine.excluded": "商品を対象外に設定",
    "quarantine.released": "隔離を解除",
    "quarantine.retried": "隔離中の商品を再試行",
    "route.changed": "ルートを変更",
    "route.created": "ルートを作成",
    "route.long_stop": "長い停止を検出",
    "route.matched": "商品を紐付け",
    "route.removed": "ルートを削除",
    "route.started": "ルートを開始",
    "route.stopped": "ルートを停止",
    "route.unmapped": "紐付けを削除",
    "route.watching": "見守りを開始",
    "route.zeroed": "停止して 0 に変更",
    "run.resumed": "実行を再開",
    "run.stopped": "実行を停止",
    "sale.booked": "売上の計上を確認",
    "sale.released": "売上の計上待ちを解除",
    "stocktake.ended": "棚卸を終了",
    "stocktake.started": "棚卸を開始",
}
"""What people did, in Japanese, by the audit log's word; one that is not here is said by that word."""

REASONS: Mapping[str, tuple[str, str]] = {
    "": ("まだ一度も合わせていません", "it never was"),
    "unmatched": ("両側のコードが一致しなくなりました", "the codes of both sides match no longer"),
    "op under way": ("以前の書き込みの結果を待っています", "an earlier write must be answered first"),
    "location not mapped": ("ロケーションの紐付けがなくなりました", "its location is not mapped any more"),
    "other route": ("別のルートに移りました", "it came under another route"),
    "removed": ("ルートが設定から削除されました", "its route was removed from the configuration"),
    "matched again": ("紐付けが戻ったところです", "it was matched again"),
    "cell went away": ("商品が一度なくなり、戻りました", "the item went away and came back"),
    "configuration": ("設定が変わりました", "the configuration changed"),
    "both_rose": ("停止中に両側で増えました", "both sides rose during a stop"),
    "large_move": ("一度に大きく動くためです", "it would move far at once"),
    "many_new_pairs": ("新しい商品が一度に多く現れました", "many new items appeared at once"),
    "watched": ("見守り中の変動は反映していません", "it was only watched before"),
    "long_stop": ("長く停止していました", "its route stood still for long"),
    "run_stopped": ("一括反映が途中で止められました", "a person stopped the push before its turn"),
    "undone": ("反映が取り消されました", "a push of it was taken back"),
    "zeroed": ("停止時に 0 にしました", "it was told 0 at the stop"),
    "restored": ("データベースが復元されました", "the database was restored"),
    "uninstalled": ("取引先側でアプリが削除されました", "the app was removed at the partner"),
    "second_installation": ("別の環境も書き込んでいます", "another installation writes too"),
    "second_writer": ("別のプログラムも書き込んでいます", "another program writes too"),
}
"""Why a pair is suspended or waits, as part of a sentence."""

TWICE: Mapping[str, tuple[str, str]] = {
    "twice_in_ledger": ("台帳の複数の商品にある", "several items of the ledger have it"),
    "twice_in_channel": ("販売チャネルの複数の商品にある", "several items of the channel have it"),
    "twice_on_both": ("両側の複数の商品にある", "several items on both sides have it"),
    "fields_disagree": ("項目ごとに別の商品を指す", "its fields lead to different items"),
    "set_and_item": ("セットと商品の両方の名前である", "it names a set and an item as well"),
}
"""Why a code is ambiguous, as part of a sentence."""


def of(words: Mapping[str, tuple[str, str]], name: str) -> tuple[str, str]:
    """A word in Japanese and English; one that nobody knows as it is.

    >>> of(WAITS, "in_flight")[1]
    'the answer to a write under way'
    """
    return words.get(name, (name, name))
