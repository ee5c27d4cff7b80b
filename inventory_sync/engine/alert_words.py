"""Alerts as people read them: what each is called and what to do about it, in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory_sync.engine.explain.words import ALERTS, of
from inventory_sync.engine.reasons import reason_in_japanese

REMEDIES: Mapping[str, tuple[str, str]] = {
    "approval_overdue": (
        "取引先のサポートに問い合わせてください。承認されたら `inventory-sync connection approval {first} granted`",
        "Ask the partner's support; once it is there, `inventory-sync connection approval {first} granted`.",
    ),
    "brake": (
        "`inventory-sync brake show` で確認し、正しければ `inventory-sync brake release {first}`。"
        "誤りなら元の数を直してください。",
        "Look at `inventory-sync brake show`; if it is right, `inventory-sync brake release {first}`, else mend the "
        "number where it went wrong.",
    ),
    "bug": (
        "コードを添えて報告してください。5 分後に自動でもう一度試します。",
        "Report it with its code. It is tried again after five minutes.",
    ),
    "callbacks_missing": (
        "INVENTORY_SYNC_PUBLIC_URL に外部から到達でき、プロキシが `/callbacks/` を通すことを確認してください。",
        "See that INVENTORY_SYNC_PUBLIC_URL is reached from outside and that the proxy passes `/callbacks/` on.",
    ),
    "catalogue_vanished": (
        "取引先の管理画面で商品を確認してください。それまでは前回の商品一覧を使います。",
        "Look at the items at the partner. Until then the catalogue known before is used.",
    ),
    "connection_broken": (
        "新しい認証情報は `inventory-sync connection renew {first}`、"
        "アンインストール後は `inventory-sync connection relink {first}`",
        "New credentials: `inventory-sync connection renew {first}`; after an uninstall: "
        "`inventory-sync connection relink {first}`.",
    ),
    "credential_expires": (
        "新しい認証情報を取得し、`inventory-sync connection renew {first}` を実行してください。",
        "Get a new credential, then `inventory-sync connection renew {first}`.",
    ),
    "housekeeping_failing": (
        "ログの `step.failed` を添えて報告してください。ほかの処理は続いており、この処理も自動でもう一度試します。",
        "Report it with what the log says at `step.failed`. Everything else goes on, and it is tried again by itself.",
    ),
    "ledger_file_refused": (
        "ファイルか設定の `files:` を直して、もう一度置いてください。理由は `quarantine/` の結果ファイルにあります。",
        "Mend the file, or its profile under `files:`, and deliver it again. The receipt under `quarantine/` says why.",
    ),
    "ledger_files_overdue": (
        "倉庫側の出力を確認してください。それまでは最後に届いた数を使います。",
        "See why the warehouse's system delivers nothing. Until then its last numbers are relied upon.",
    ),
    "ledger_files_unreachable": (
        "取得元サーバーのアドレスと認証情報を確認してください。1 分ごとに再試行します。",
        "Check the server's address and credentials. It is tried again every minute.",
    ),
    "levels_vanished": (
        "取引先の管理画面で在庫を確認してください。それまでは前の数を使い、1 分ごとに読み直します。",
        "Look at the levels at the partner. Until then the numbers known before are used, and read anew every minute.",
    ),
    "orders_booked_twice": (
        "どちらか一方だけが売上を計上するようにし(または `sales: expect`)、台帳を直してから "
        "`inventory-sync route preview {first}` を確認して開始してください。",
        "Let one of the two book the sales (or set `sales: expect`), correct the ledger, then look at "
        "`inventory-sync route preview {first}` and start the route.",
    ),
    "orders_kept": (
        "`inventory-sync orders list` で確認し、商品を紐付けてください。"
        "手作業で計上済みなら `inventory-sync orders drop {first} 注文番号`",
        "Look at `inventory-sync orders list` and match the items; `inventory-sync orders drop {first} ORDER` where "
        "one was booked by hand.",
    ),
    "oversold": (
        "入荷を計上するか、注文を取り消してください。チャネルには 0 を伝えています。",
        "Receive stock or cancel orders. The channel is told 0.",
    ),
    "pairs_waiting": (
        "`inventory-sync route preview {first}` を確認し、`inventory-sync route start {first} --accept プレビュー番号`",
        "Look at `inventory-sync route preview {first}`, then `inventory-sync route start {first} --accept PREVIEW`.",
    ),
    "preview_ready": (
        "`inventory-sync route preview {first}` を確認し、`inventory-sync route start {first} --accept プレビュー番号`",
        "Look at `inventory-sync route preview {first}`, then `inventory-sync route start {first} --accept PREVIEW`.",
    ),
    "quarantined": (
        "`inventory-sync quarantine list` で理由を確認し、直してから `inventory-sync quarantine retry 番号`",
        "`inventory-sync quarantine list` gives the reason; mend it, then `inventory-sync quarantine retry CELL`.",
    ),
    "restored": (
        "ルートごとに `inventory-sync route preview ルート名` を確認して開始してください。",
        "For each route, look at `inventory-sync route preview NAME` and start it.",
    ),
    "runaway": (
        "ほかに何がこの在庫を書き換えているかを確認して止め、`inventory-sync quarantine list` の番号を "
        "`inventory-sync quarantine release 番号` で解除してください。",
        "Find what else writes this number and stop it, then `inventory-sync quarantine release CELL` (its number is "
        "in `inventory-sync quarantine list`).",
    ),
    "sale_not_booked": (
        "受注管理側を確認してください。別の形で計上済みなら `inventory-sync route decide {first} 商品コード --booked`、"
        "計上されないなら `--release`",
        "See whether the order system booked it: `inventory-sync route decide {first} CODE --booked` where the ledger "
        "holds it under another name, `--release` where nobody will book it.",
    ),
    "second_installation": (
        "2 つの環境の一方を止め、ルートごとに `inventory-sync route preview ルート名` を確認して開始してください。",
        "Stop one of the two installations; then, for each route, look at `inventory-sync route preview NAME` and "
        "start it.",
    ),
    "second_writer": (
        "もう一方のツールを止め、ルートごとに `inventory-sync route preview ルート名` を確認して開始してください。",
        "Switch the other tool off; then, for each route, look at `inventory-sync route preview NAME` and start it.",
    ),
    "stocktake": (
        "棚卸が終わったら `inventory-sync route stocktake {first} end` で確認し、表示されたコマンドで終えてください。",
        "When the count is over, `inventory-sync route stocktake {first} end` shows it and prints what ends it.",
    ),
    "uncertain": (
        "該当する商品を数えて台帳を直し、`inventory-sync route count ルート名 商品コード` を実行してください。",
        "Count these items, correct the ledger, and say so: `inventory-sync route count NAME CODE`.",
    ),
    "unpaid_policy_void": (
        "`orders:` の設定から hold と ignore を外してください。それまではすべての注文をすぐに数えます。",
        "Take hold or ignore out of its `orders:` settings. Until then every order counts at once.",
    ),
}
"""What a person does about an alert, by its code. `first`: its subject, up to the first slash."""


def described(alert: Mapping[str, Any], problems: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    """The title and the remedy of an alert, in both languages.

    `problems`: partners' problems by their code, each a sentence and a remedy in Japanese.
    """
    code, detail = alert["code"], alert["detail"]
    title_ja, title = of(ALERTS, code)
    remedy_ja, remedy = (text.replace("{first}", alert["subject"].partition("/")[0]) for text in of(REMEDIES, code))
    if code == "connection_broken" and detail.get("reason"):
        problem, reason = detail.get("problem", ""), detail["reason"]
        title_ja, title = f"{title_ja}: {reason_in_japanese(problems, problem, reason)}", f"{title}: {reason}"
        remedy_ja = problems.get(problem, ("", remedy_ja))[1]
        remedy = detail.get("remedy") or remedy
    if code == "bug" and detail.get("message"):
        message = detail["message"]
        title_ja = f"{title_ja}: {reason_in_japanese(problems, detail.get('problem'), message)}"
        title = f"{title}: {message}"
    return {"title": {"ja": title_ja, "en": title}, "remedy": {"ja": remedy_ja, "en": remedy}}
