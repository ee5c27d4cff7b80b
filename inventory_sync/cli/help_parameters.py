"""What each argument and option means, in Japanese, by its English help."""

from __future__ import annotations

from collections.abc import Mapping

PARAMETERS: Mapping[str, str] = {
    "Print the version and leave.": "版を表示して終了します。",
    "The configuration file; - reads it from the standard input.": "設定ファイル。- なら標準入力から読みます。",
    "Say what would change, and change nothing.": "変更内容を表示するだけで、何も変更しません。",
    "Remove what the file does not name; lists it first.": "ファイルにないものを取り除きます。先に一覧を表示します。",
    "Start the route of this preview.": "このプレビューを承認してルートを開始します。",
    "Remove without asking (with --prune).": "確認せずに取り除きます (--prune と一緒に使います)。",
    "Print the report as JSON.": "結果を JSON で出力します。",
    "Print everything as JSON.": "すべてを JSON で出力します。",
    "The code, exactly as it is written in a catalogue.": "商品コード。商品データに書かれているとおりに指定します。",
    "Only this route.": "このルートだけを表示します。",
    "How far back the timeline goes: 90m, 24h, 7d.": "さかのぼる時間: 90m、24h、7d。",
    "The newest events of the timeline.": "表示する出来事の数 (新しい順)。",
    "Print it as JSON.": "JSON で出力します。",
    "The configuration file to write; what it holds is kept.": "書き込む設定ファイル。すでにある内容は残します。",
    "Take the answers from a YAML file (- is stdin).": "YAML ファイルの回答を使います (- なら標準入力)。",
    "How many seconds to wait for the preview.": "プレビューを待つ秒数。",
    "Print the result as JSON.": "結果を JSON で出力します。",
    "The system, as `systems` lists it.": "システム。`systems` の一覧にある名前。",
    "Show how far each step is at this connection.": "この接続で各手順がどこまで済んだかを示します。",
    "Print the whole guide, with all settings.": "すべての設定を含む手引き全体を表示します。",
    "Print it as JSON, in both languages.": "両方の言語を JSON で出力します。",
    "Trade for this long (30s, 2m), settle, count, and end by itself.": (
        "この時間だけ売買し (30s、2m)、落ち着くのを待って数え、自動で終了します。"
    ),
    "Items, at two places each.": "商品の数。それぞれ2か所に在庫があります。",
    "Repeat the trade of this seed.": "このシードの売買を再現します。",
    "kill -9 the daemon in the middle.": "途中でサービスを kill -9 で止めます。",
    "Run a daemon that is broken on purpose (double).": "わざと壊したサービスを動かします (double)。",
    "Work here, and leave logs and data behind.": "このフォルダーで動かし、ログとデータを残します。",
    "Print the result as JSON; progress goes to stderr.": "結果を JSON で出力します。経過は標準エラー出力に出します。",
    "The connection.": "接続の名前。",
    "An item of the shop that is hidden from customers and has stock.": (
        "店舗の商品のうち、お客様に非公開で、在庫のあるもの。"
    ),
    "Files of the shop's catalogue, one or all of a set.": "店舗の商品ファイル。一式のうち1つ、またはすべて。",
    "Accept columns that differ from the last accepted ones.": "前回承認した列と異なる列を承認します。",
    "A credential to replace; may be given again. All, if left out.": (
        "入れ替える認証情報。繰り返し指定できます。省略するとすべてです。"
    ),
    "Take the values from a YAML file (- is the standard input).": "YAML ファイルの値を使います (- なら標準入力)。",
    "Do it without asking.": "確認せずに実行します。",
    "applied, or granted.": "applied (申請した) または granted (承認された)。",
    "The day it was applied for.": "申請した日。",
    "Which approval, where there are several.": "承認が複数あるときに、どの承認かを指定します。",
    "Business days after which you are reminded.": "お知らせするまでの営業日数。",
    "What the application named, such as shop_url; repeatable.": (
        "申請に書いた内容 (shop_url など)。繰り返し指定できます。"
    ),
    "The step, as `guide` lists it.": "手順。`guide` の一覧にある名前。",
    "It is done.": "済みにします。",
    "It is open again.": "未完了に戻します。",
    "How many movements the table shows.": "表に表示する変動の数。",
    "The route's name.": "ルートの名前。",
    "Every route of which something is held.": "保留のあるすべてのルート。",
    "Keep the brake off for this long: 30m, 2h, at most 24h.": "この時間は急な変動を保留しません: 30m、2h、最大 24h。",
    "Only what you saw, as `brake show` printed it; not what came after.": (
        "`brake show` が表示した番号。確認したものだけを反映し、その後のものは残します。"
    ),
    "A stock file.": "在庫ファイル。",
    "Which ledger, where there are several.": "台帳が複数あるときに、どの台帳かを指定します。",
    "How the file is to be read, as the connection's `files` say.": "ファイルの読み方。接続の `files` にある名前。",
    "Declare the profile in this file instead.": "このファイルに書いた読み方を使います。",
    "Say what would happen, and book nothing.": "結果の予測を表示するだけで、何も計上しません。",
    "The new columns are meant; accept them from now on.": "新しい列を、今後も正しいものとして承認します。",
    "So few rows or units are meant, this once.": "行や個数が大きく減っていても、今回に限り承認します。",
    "Make the items that the ledger lacks.": "台帳にない商品を作ります。",
    "Write what became of each row to this file.": "各行の結果をこのファイルに書き出します。",
    "Write to this file instead of printing.": "画面ではなく、このファイルに書き出します。",
    "utf-8 has a byte order mark, for spreadsheets.": "utf-8 は表計算ソフト用に BOM を付けます。",
    'Write SKUs as ="SKU", so that a spreadsheet keeps their zeros.': (
        'SKU を ="SKU" と書き、表計算ソフトで先頭の 0 が消えないようにします。'
    ),
    "The item's SKU, to the character.": "商品のSKU。1文字も違わないように指定します。",
    "What was counted.": "数えた個数。",
    "Where.": "ロケーション。",
    "Which stock label.": "在庫区分。",
    "The time it speaks of, with its offset. Now, if left out.": (
        "いつの時点の数か (時差を付けた時刻)。省略すると現在です。"
    ),
    "Why, for the record.": "記録に残す理由。",
    "The order or document behind it.": "元になった注文や書類。",
    "Idempotency key: the same change with the same key is booked once.": (
        "重複を防ぐキー。同じ変更を同じキーで送っても、計上は一度だけです。"
    ),
    "Units to add; -3 takes three away.": "増やす個数。-3 なら3個減らします。",
    "Why it moved.": "増減の理由の種類。",
    "Of this SKU only.": "このSKUだけを表示します。",
    "Of this order or document only.": "この注文または書類だけを表示します。",
    "Behind this number.": "この番号より後を表示します。",
    "How many.": "件数または個数。",
    "Who will use it, for the record.": "使う人やシステムの名前 (記録に残します)。",
    "It may read and not write.": "読み取り専用にします。",
    "The key's name.": "キーの名前。",
    "Behind this SKU.": "このSKUより後を表示します。",
    "The SKU, to the character.": "SKU。1文字も違わないように指定します。",
    "What it is.": "商品名。",
    "JAN, EAN or UPC.": "JAN、EAN、または UPC。",
    "Its stock is not counted.": "在庫を数えない商品にします。",
    "It is not offered any more.": "販売を終えた商品にします。",
    "Its key, to the character.": "ロケーションのキー。1文字も違わないように指定します。",
    "What people call it.": "ロケーションの呼び名。",
    "It is not in use.": "使っていないロケーションにします。",
    "The label's name, to the character.": "区分の名前。1文字も違わないように指定します。",
    "Its levels may go below 0.": "在庫数が 0 未満になってよいことにします。",
    "The address that takes the deliveries.": "通知を受け取るURL。",
    "Its number, as `ledger hooks list` shows it.": "番号。`ledger hooks list` に表示されます。",
    "The preview you looked at and accept.": "確認して承認するプレビュー。",
    "Make a fresh preview and accept it.": "新しいプレビューを作り、そのまま承認します。",
    "The code of the item, exactly as it is matched.": "商品のコード。紐付けに使われているとおりに指定します。",
    "Nobody will book them: the units may be sold again.": (
        "計上されないものとし、その個数を再び販売できるようにします。"
    ),
    "The ledger holds them already, under another name.": "別の名前ですでに台帳に計上されています。",
    "The side whose numbers the other one gets: a full push.": "在庫数の元になる側。もう片側へすべて反映します。",
    "Read every cell first; `serve` must be running.": (
        "先にすべてのセルを読み取ります。`serve` が動いている必要があります。"
    ),
    "Seconds to wait for --fresh.": "--fresh を待つ秒数。",
    "Print every line as CSV.": "すべての行を CSV で出力します。",
    "How many lines the table shows.": "表に表示する行数。",
    "The side whose numbers the other one gets.": "在庫数の元になる側。",
    "The number of the push, as `run list` shows it.": "一括反映の番号。`run list` に表示されます。",
    "Also tell every cell of the channel 0; makes a preview first.": (
        "販売チャネルのすべてのセルを 0 にもします。先にプレビューを作ります。"
    ),
    "The preview of --and-zero that you accept.": "確認して承認する --and-zero のプレビュー。",
    "Print it as JSON, with every number that stays where it is.": "そのまま残るすべての数を JSON で出力します。",
    "Delete it; without this nothing is changed.": "削除します。付けなければ何も変更しません。",
    "Give up this many units owed to the ledger.": "台帳へ未計上のこの個数をあきらめます。",
    "Show what the trial found out so far.": "見守りでこれまでに分かったことを表示します。",
    "Report from here on: 90m, 24h, 7d, or 2026-11-20T09:00.": (
        "結果に含める範囲の始まり: 90m、24h、7d、または 2026-11-20T09:00。"
    ),
    "Stop the writing of a route that runs, without asking.": "稼働中のルートの書き込みを、確認せずにやめます。",
    "Begin, end, or look.": "始める、終える、または見る。",
    "With end: tell on what you saw, and end it.": "end と一緒に使います。確認したものを反映して終えます。",
    "With --accept: what you saw, as `end` printed it.": "--accept と一緒に使います。`end` が表示した番号。",
    "With --accept: this cell stays held (may be repeated).": (
        "--accept と一緒に使います。このセルは保留のままにします (繰り返し指定できます)。"
    ),
    "The code that both sides have in common.": "両側に共通する商品コード。",
    "A code: how its numbers come about.": "商品コード。在庫数の計算を示します。",
    "CSV: code, and any of buffer, percent, max, end_when, offset, …": (
        "CSV: code と、buffer、percent、max、end_when、offset などの列。"
    ),
    "Show what would happen and change nothing.": "結果の予測を表示するだけで、何も変更しません。",
    "You looked at the preview: change the numbers.": "プレビューを確認したものとして、在庫数を変更します。",
    "With --yes: only what you saw, as the preview named it.": (
        "--yes と一緒に使います。プレビューが表示した番号。確認したものだけを変更します。"
    ),
    "Take back what the file does not name.": "ファイルにない設定を取り消します。",
    "How the file is encoded.": "ファイルの文字コード。",
    "How many cells the table shows.": "表に表示するセルの数。",
    "A file; without it, standard output.": "ファイル。省略すると標準出力に出します。",
    "Print them as JSON.": "一覧を JSON で出力します。",
    "Cell numbers as `quarantine list` shows them.": "セルの番号。`quarantine list` に表示されます。",
    "Every cell that no person keeps out.": "人が対象外にしたもの以外のすべてのセル。",
    "Print the cells as JSON.": "セルを JSON で出力します。",
    "Every cell that a partner refused.": "取引先が拒否したすべてのセル。",
    "Cell numbers, as `explain SKU --json` names them, of any cell that a route has.": (
        "セルの番号。`explain SKU --json` に表示されます。ルートのあるセルならどれでも指定できます。"
    ),
    "Only of this one.": "この接続のものだけを表示します。",
    "The channel's connection.": "販売チャネルの接続。",
    "Order numbers as `orders list` shows them.": "注文番号。`orders list` に表示されます。",
    "Print what was dropped as JSON.": "保存をやめたものを JSON で出力します。",
    "Also those that are over.": "解決したものも表示します。",
    "How many, newest first.": "件数 (新しい順)。",
    "The number of the run, as `run list` shows it.": "実行の番号。`run list` に表示されます。",
    "Stay until it is over; a line each second.": "終わるまで見続けます。1秒ごとに1行表示します。",
    "How many rows that were not written to list.": "書き込まなかった行を表示する数。",
    "The job, as `job list` names it.": "ジョブ。`job list` に表示される名前。",
    "How many items each partner has.": "取引先ごとの商品の数。",
    "Write the configuration file here.": "設定ファイルをここに書き出します。",
    "Write answers for `setup --answers` here.": "`setup --answers` 用の回答をここに書き出します。",
    "Write what to set in other terminals here.": "ほかの端末で設定する内容をここに書き出します。",
    "The daemon's public address; the ledger sends its webhooks there.": (
        "サービスの公開URL。台帳はここに通知を送ります。"
    ),
    "Write the classic shop's product and option CSV here, as its person downloads them.": (
        "従来型の店舗の商品CSVとオプションCSVを、担当者がダウンロードする形でここに書き出します。"
    ),
    "0: any free one.": "0 なら空いているポートを使います。",
    "pos (the register) or shop.": "pos (レジ) または shop (店舗)。",
    "The item's code.": "商品のコード。",
    "The store or location, by key or name; the first one if not given.": (
        "店舗またはロケーションのキーか名前。省略すると最初の1つです。"
    ),
    "Only this item.": "この商品だけを表示します。",
}
