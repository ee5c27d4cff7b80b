"""The command line's fixed sentences, in Japanese and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["ja", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    # publish rules of single codes
    "publish_overrides": ("商品コードごとの公開設定", "Set for single codes"),
    "publish_code": ("商品コード", "Code"),
    "publish_buffer": ("安全在庫", "Buffer"),
    "publish_percent": ("割合 (%)", "Percent"),
    "publish_max": ("上限", "Cap"),
    "publish_end_when": ("終了数", "End when"),
    "publish_offset": ("加減", "Offset"),
    "publish_until": ("最終日", "Until"),
    "publish_exclude": ("対象外", "Left out"),
    "publish_shows": ("現在の表示", "Shows"),
    "publish_before": ("これまでの目標", "Told so far"),
    "publish_after": ("新しい目標", "Told from now on"),
    "publish_untold": ("書き込まない", "not written"),
    "publish_beyond": ("実在庫より {units} 個多く公開します(予約販売)。", "{units} more than there is (pre-orders)."),
    "publish_braked": ("通常なら急な変動として保留される大きさです。", "The brake would hold such a movement."),
    "publish_again": ("再び公開します(台帳に合わせます)。", "Published again: aligned with the ledger."),
    "publish_unknown": (
        "{row} 行目 {code}: このルートに該当する商品はありません。設定は保存し、商品が現れたら使います。",
        "Row {row}, {code}: no item of this route has it. It is kept for when one comes.",
    ),
    "publish_counts": (
        "設定 {set}、取り消し {taken_back}、変更なし {unchanged}、該当なし {unknown}。変わる在庫数 {cells}"
        "(うち急な変動 {braked})。",
        "Set {set}, taken back {taken_back}, unchanged {unchanged}, no such item {unknown}; numbers that change "
        "{cells}, of them {braked} that the brake would hold.",
    ),
    "publish_run": (
        "実行 {run} を開始しました。進み具合: inventory-sync run show {run} --follow",
        "The run {run} has started. How far it is: inventory-sync run show {run} --follow",
    ),
    "publish_written": ("{rows} 行を {file} に書き出しました。", "{rows} rows written to {file}."),
    # headings of tables
    "connections": ("接続", "Connections"),
    "routes": ("連携ルート", "Routes"),
    "alerts": ("アラート", "Alerts"),
    "systems": ("システム", "Systems"),
    "quarantine": ("隔離中の在庫セル", "Quarantine"),
    "runs": ("実行", "Runs"),
    "orders_waiting": ("まだ数えていない注文", "Orders that do not count yet"),
    "order_number": ("注文番号", "Order"),
    "order_units": ("個数", "Units"),
    "locations": ("ロケーションの紐付け", "Location pairs"),
    "match_report": ("商品の紐付け結果", "Match report"),
    "preview": ("プレビュー", "Preview"),
    "name": ("名前", "Name"),
    "number": ("番号", "Number"),
    "begun": ("開始", "Started"),
    "kind": ("種類", "Kind"),
    "what": ("結果", "Result"),
    "state": ("状態", "State"),
    "reason": ("理由", "Reason"),
    "remedy": ("対処", "What to do"),
    "expires": ("認証の期限", "Credential expires"),
    "items": ("商品", "Items"),
    "cells": ("セル", "Cells"),
    "pending": ("未反映", "Pending"),
    "in_doubt": ("確認中", "In doubt"),
    "served": ("稼働", "Served"),
    "blockers": ("開始できない理由", "Blocked by"),
    "pairs": ("紐付け", "Pairs"),
    "live": ("連動中", "Live"),
    "lag": ("最も古い未反映", "Oldest pending"),
    "latest_preview": ("最新プレビュー", "Latest preview"),
    "changes": ("変更", "Changes"),
    "ledger": ("在庫台帳", "Ledger"),
    "channel": ("販売チャネル", "Channel"),
    "code": ("コード", "Code"),
    "subject": ("対象", "Subject"),
    "since": ("発生", "Since"),
    "detail": ("詳細", "Detail"),
    "value": ("商品コード", "Code"),
    "item": ("商品", "Item"),
    "location": ("ロケーション", "Location"),
    "action": ("処理", "Action"),
    "before": ("現在", "Before"),
    "after": ("変更後", "After"),
    "why": ("理由", "Why"),
    "roles": ("役割", "Roles"),
    "match_fields": ("紐付け項目", "Match fields"),
    "credentials": ("認証情報", "Credentials"),
    "prerequisites": ("必要なもの", "What is needed"),
    "done": ("件数", "Done"),
    "difference": ("違い", "Difference"),
    "rate": ("速さ", "Rate"),
    "remaining": ("残り", "Left"),
    "not_written": ("書き込んでいない行", "Not written"),
    "slowest": ("最も遅かった変動", "The slowest changes"),
    "late": ("遅れ", "Late"),
    "step_connect": ("接続", "connect"),
    "step_locations": ("ロケーション", "locations"),
    "step_fields": ("紐付け項目", "fields"),
    "step_match": ("商品の紐付け", "match"),
    "step_enable": ("有効化", "enable"),
    # sentences
    "moved_since_stop": (
        "停止後に変動した紐付け: 台帳 {ledger} 件、チャネル {channel} 件、両側で増加 {both_rose} 件",
        "moved since the stop: {ledger} pairs in the ledger, {channel} in the channel, {both_rose} up on both sides",
    ),
    "error": ("エラー", "Error"),
    "refused": ("安全のため中止しました", "Refused by a safety rule"),
    "nothing_here": ("ありません。", "None."),
    "none_yet": (
        "まだ接続がありません。`inventory-sync setup` で質問に答えるか、設定ファイルを書いて "
        "`inventory-sync apply FILE` を実行してください。",
        "There is no connection yet: answer the questions of `inventory-sync setup`, or write a configuration file and "
        "run `inventory-sync apply FILE`.",
    ),
    "applied": ("設定を適用しました。", "The configuration is applied."),
    "nothing_changed": ("変更はありません。", "Nothing changed: all is as the file says."),
    "dry_run": (
        "確認のみ: 何も変更していません。適用すると次のようになります。",
        "Dry run: nothing was changed. This is what would be.",
    ),
    "started": ("開始しました: {names}", "Started: {names}"),
    "next": ("次にすること", "Next"),
    "note": ("注意", "Note"),
    "goes": ("設定ファイルにないため取り除くもの:", "The file does not name these, so they go:"),
    "sure": ("取り除きますか?", "Remove them?"),
    "prune_needs_yes": (
        "何も変更していません。取り除くなら --yes を付けてください。",
        "Nothing was changed. Add --yes to remove them.",
    ),
    "busy": (
        "取引先システムが混み合っています。何も変更していません。少し待ってからもう一度実行してください。",
        "A partner is busy. Nothing was changed; try again in a moment.",
    ),
    "migrated": (
        "データベースを {after} に更新しました: {applied}",
        "The database is at {after} now; applied: {applied}",
    ),
    "up_to_date": ("データベースは最新です ({after})。", "The database is up to date ({after})."),
    "database_away": (
        "データベースに接続できません: {reason}。INVENTORY_SYNC_DATABASE_URL とサーバーの稼働を確認してください。",
        "The database cannot be used: {reason}. Check INVENTORY_SYNC_DATABASE_URL and that the server runs.",
    ),
    "not_matched": (
        "{route}: 商品の紐付けがまだです。`inventory-sync serve` が両方の商品を取り込むまで待ってください。",
        "{route}: not yet: nothing is matched before both catalogues are in. Keep `inventory-sync serve` running.",
    ),
    "nothing_matched": (
        "{route}: 一致した商品がありません。`inventory-sync route show {route}` で違いを確認してください。",
        "{route}: no item matched. See the differences with `inventory-sync route show {route}`.",
    ),
    "unread": (
        "{route}: まだです。未読のセルが {count} 件あります。`inventory-sync serve` が読み取るまで待ってください。",
        "{route}: not yet: {count} cells to read. Keep `inventory-sync serve` running and ask again.",
    ),
    "preview_made": (
        "プレビュー {id} ({route}): 書き込み 販売チャネル {channel}・台帳 {ledger}、そのまま {keep}、"
        "対象外 {excluded}、増 {up}、減 {down}",
        "Preview {id} of {route}: {channel} written to the channel, {ledger} to the ledger, {keep} left, "
        "{excluded} excluded; units up {up}, down {down}",
    ),
    "lines_left": (
        "ほか {count} 行は --lines または --json で表示します。",
        "{count} more lines: use --lines or --json.",
    ),
    "overrides_left": (
        "ほか {count} 行は --json または `inventory-sync publish export {route}` で表示します。",
        "{count} more lines: use --json or `inventory-sync publish export {route}`.",
    ),
    "problems_left": ("ほか {count} 件。", "{count} more like these."),
    "accept_with": (
        "承認して開始するには: inventory-sync route start {route} --accept {id}",
        "To accept it and start: inventory-sync route start {route} --accept {id}",
    ),
    "route_started": (
        "{route} を開始しました。{aligned} 件を承認、{changed} 件はプレビュー後に変わったため確認待ちです。",
        "{route} runs. {aligned} pairs confirmed; {changed} changed since the preview and wait for another one.",
    ),
    "route_stopped": (
        "{route} を停止しました。在庫数はどちらの側もそのまま残ります。",
        "{route} is stopped. The numbers on both sides stay as they are.",
    ),
    "still_open": (
        "停止時に未反映 {open} 件、台帳へ未計上 {owed} 個があります。再開すると両側を読み直します。",
        "{open} differences were not written and {owed} units not posted; a start reads both sides first.",
    ),
    "choose_start": (
        "--accept PREVIEW か --yes のどちらか一方を指定してください。",
        "Give either --accept PREVIEW or --yes.",
    ),
    "released": ("{count} 件の隔離を解除しました。", "{count} released."),
    "choose_release": (
        "セルの番号か --all のどちらか一方を指定してください。",
        "Give either cell numbers or --all.",
    ),
    "never_heard": (
        "通知がまだ一度も届いていません。`inventory-sync connection notify-url {name}` のURLを、取引先の管理画面に"
        "そのまま登録してください。届くまでは定期的に確認します。",
        "No notice has ever come in. Enter the address of `inventory-sync connection notify-url {name}` at the "
        "partner, unchanged; until then it is polled.",
    ),
    "unmapped": ("紐付けがなく変更しないロケーション", "Not mapped, and left alone"),
    "match_counted": (
        "一致 {matched}、あいまい {ambiguous}、台帳のみ {ledger}、チャネルのみ {channel}、惜しい {near}、"
        "対象外 {excluded}",
        "matched {matched}, ambiguous {ambiguous}, only in the ledger {ledger}, only in the channel {channel}, "
        "near misses {near}, excluded {excluded}",
    ),
    "ambiguous": ("あいまい (人が決めるまで紐付けません)", "Ambiguous (matches nothing before a person decides)"),
    "twice_in_ledger": ("台帳に複数", "several in the ledger"),
    "twice_in_channel": ("チャネルに複数", "several in the channel"),
    "twice_on_both": ("両方に複数", "several on both sides"),
    "fields_disagree": ("項目ごとに別の商品", "its fields lead to different items"),
    "set_and_item": ("セットと商品の両方", "names a set and an item"),
    "sets": ("セット商品の構成", "Sets and packs"),
    "components": ("構成", "Made of"),
    "listings": ("出品数", "Listings"),
    "complaints": ("対応表・セットの問題", "Wrong in the code table or the sets"),
    "supplied": ("対応表 {codes} 行、セット {sets} 件", "code table: {codes} lines, sets: {sets}"),
    "pool_intake": (
        "台帳のロケーションは合計され、販売チャネルの変動は {location} に計上します。",
        "The ledger's locations are summed; what the channel moves is booked at {location}.",
    ),
    "matched_now": ("{route}: 商品を紐付け直しました。", "{route}: matched again."),
    "near_misses": ("惜しい (ほぼ同じコード)", "Near misses"),
    "ledger_unmatched": ("台帳だけにある商品", "Only in the ledger"),
    "channel_unmatched": ("チャネルだけにある商品", "Only in the channel"),
    "excluded": ("対象外", "Excluded"),
    "bundle": ("セット商品", "bundle"),
    "untracked": ("在庫管理なし", "stock not managed"),
    "yes": ("はい", "yes"),
    "no": ("いいえ", "no"),
    "excluded_cells": (
        "{count} 件を対象外にしました。`inventory-sync quarantine release` まで書き込みません。",
        "{count} cells are kept out until `inventory-sync quarantine release`.",
    ),
    "brake_holds": ("止めている変動", "Held back"),
    "held_by_brake": ("急な変動", "brake"),
    "held_by_stocktake": ("棚卸中", "stock-take"),
    "side_ledger": ("台帳", "ledger"),
    "side_channel": ("販売チャネル", "channel"),
    "route": ("ルート", "Route"),
    "side": ("側", "Side"),
    "cell": ("セル", "Cell"),
    "ordered": ("受注済み・未出荷", "Ordered, not shipped"),
    "expected": ("計上待ち", "Not booked yet"),
    "to_book": ("これから計上", "To be booked by us"),
    "doubtful": ("要確認", "Look at it"),
    "brake_off": (
        "{route}: {until} まで急な変動を止めません。",
        "{route}: the brake is off until {until}.",
    ),
    "brake_released": (
        "{route}: 止めていた {count} 件の変動を反映します。",
        "{route}: {count} movements were held; they are told on now.",
    ),
    "told_codes": ("反映する商品コード: {codes}", "Told on: {codes}"),
    "stay_held": (
        "{route}: 確認の後に止めた {count} 件は保留のままです。`inventory-sync brake show` で確認してください。",
        "{route}: {count} movements came after what you saw and stay held. Look at `inventory-sync brake show`.",
    ),
    "brake_seen": (
        "{count} 件を止めています。ここまでだけを反映するには: inventory-sync brake release ルート --seen {seen}",
        "{count} movements are held. To let go these and nothing younger: "
        "inventory-sync brake release ROUTE --seen {seen}",
    ),
    "still_counted": (
        "{route}: 棚卸中のため {count} 件は保留のままです。棚卸を終えるには "
        "`inventory-sync route stocktake {route} end`",
        "{route}: {count} stay held by the stock-take; `inventory-sync route stocktake {route} end` ends it.",
    ),
    "nothing_held": ("止めている変動はありません。", "Nothing is held."),
    "choose_brake": (
        "ルート名か --all のどちらか一方を指定してください。",
        "Name a route or say --all, and only one of them.",
    ),
    "wrong_time": (
        "時間 {text!r} は使えません。30m や 2h のように指定してください。",
        "{text!r} is no time: say 30m or 2h.",
    ),
    "choose_stocktake": (
        "start、end、show のいずれかを指定してください。--accept は end だけ、--seen と --discard は --accept と一緒に"
        "使います。",
        "Say start, end or show; --accept goes with end only, --seen and --discard with --accept.",
    ),
    "no_stocktake": ("{route}: 棚卸中ではありません。", "{route}: no stock-take is under way."),
    "stocktake_on": (
        "{route}: {since} から棚卸中です ({by})。台帳の増加は止め、減少は反映します。",
        "{route}: stock-take since {since} ({by}). What the ledger has more of is held, what it has less of flows.",
    ),
    "stocktake_cells": ("棚卸で増えた在庫", "More was counted"),
    "stocktake_accept": (
        "確認して終えるには: inventory-sync route stocktake {route} end --accept --seen {seen} "
        "(反映しないセルは --discard セル)。この後に増えたものは止めたままにします。",
        "To accept what is shown and end it: inventory-sync route stocktake {route} end --accept --seen {seen} "
        "(--discard CELL keeps a cell held). What comes after this stays held.",
    ),
    "stocktake_ended": (
        "{route}: 棚卸を終えました。反映 {released} 件、止めたまま {left_held} 件、不確かさの解消 {settled_units} 個。",
        "{route}: the stock-take is over. {released} movements told on, {left_held} cells stay held, "
        "{settled_units} uncertain units settled.",
    ),
    "counted": (
        "{route}/{value}: 数え直しを記録しました。不確かだった {units} 個は解消です。",
        "{route}/{value}: counted. {units} units were uncertain and are settled.",
    ),
    "sandbox_missing": (
        "サンドボックスには graphql-core が必要です: pip install 'inventory-sync[sandbox]'",
        "The sandbox needs graphql-core: pip install 'inventory-sync[sandbox]'",
    ),
    "sandbox_runs": (
        "サンドボックスが動いています。Ctrl-C で終了します。",
        "The sandbox is running. Ctrl-C ends it.",
    ),
    "sandbox_file": ("設定ファイル: {path}", "Configuration file: {path}"),
    "sandbox_exports": ("この端末で設定する環境変数:", "Set these in the terminal you use:"),
    "sandbox_env": ("ほかの端末では最初に実行: . {path}", "In the other terminals, first of all: . {path}"),
    "sandbox_answers": (
        "`inventory-sync setup --answers` 用の回答ファイル: {path}",
        "Answers for `inventory-sync setup --answers`: {path}",
    ),
    "sandbox_away": (
        "サンドボックスが動いていません。`inventory-sync sandbox` を別の端末で動かし、表示される環境変数 SANDBOX_DESK "
        "をこの端末でも設定してください。",
        "No sandbox is running here. Start `inventory-sync sandbox` in another terminal, and set SANDBOX_DESK, which "
        "it prints, in this one.",
    ),
    "sandbox_stock": ("取引先の在庫数", "Numbers at the partners"),
    "stock": ("在庫数", "Stock"),
    "by": ("操作", "By"),
    "connection": ("接続", "Connection"),
    "jobs": ("自動で動くジョブ", "Jobs that run by themselves"),
    "every": ("間隔", "Every"),
    "enabled": ("有効", "On"),
    "last_run": ("前回", "Last run"),
    "next_run": ("次回", "Next run"),
}


class Words:
    """Says the fixed sentences in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, key: str, /, **values: object) -> str:
        japanese, english = TEXTS[key]
        text = japanese if self.language == "ja" else english
        return text.format(**values) if values else text

    def either(self, japanese: str, english: str) -> str:
        """The one of two texts that is in our language."""
        return japanese if self.language == "ja" else english
