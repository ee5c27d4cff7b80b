"""What each command is for, in Japanese: one line of its English help to one line of ours."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "Keeps one stock ledger and several sales channels equal, in seconds, exactly once.": (
        "在庫台帳と複数の販売チャネルの在庫数を、数秒のうちに、二重に数えることなく揃えます。"
    ),
    "Run the service until it is told to end (SIGTERM, Ctrl-C).": (
        "サービスを動かします。終了の合図 (SIGTERM、Ctrl-C) があるまで動き続けます。"
    ),
    "Bring the database to the schema this version needs. Safe to repeat.": (
        "データベースをこの版に必要な構造に更新します。何度実行しても安全です。"
    ),
    "Apply a configuration file. Safe to repeat; nothing changes unless all of it is valid.": (
        "設定ファイルを適用します。何度実行しても安全で、すべてが正しいときだけ変更します。"
    ),
    "Show connections, routes and open alerts.": "接続、連携ルート、未解決のアラートを表示します。",
    "Say why a code's numbers are what they are, with the arithmetic and everything that happened to them.": (
        "商品コードの在庫数がその値である理由を、計算と、これまでに起きたすべてのことで説明します。"
    ),
    "Ask everything that a first route needs, prove it, write the file, apply it, and make the preview.": (
        "最初のルートに必要なことを質問し、確かめてからファイルに書き、適用してプレビューを作ります。"
    ),
    "Secrets are stored encrypted, or stay in the environment where the answer is ${NAME}; never in the file.": (
        "秘密の値は暗号化して保存します。答えが ${NAME} なら環境変数に置いたままにします。ファイルには書きません。"
    ),
    "Show how a system is connected: every step, where to find every value, and how far each is.": (
        "システムを接続する手順を示します。各手順、値の調べ方、どこまで済んだかが分かります。"
    ),
    "List the systems that can be connected.": "接続できるシステムの一覧を表示します。",
    "See it work: three simulated partners, the daemon, trade, faults, kill -9; exit 1 if a unit is off.": (
        "動くところを試します。模擬の取引先3つ、サービス、売買、障害、kill -9。1個でも合わなければ終了コードは 1 です。"
    ),
    "Accounts at partners: shops and ledgers.": "取引先のアカウント (店舗と在庫台帳) を扱います。",
    "List the connections, with what was calibrated.": "接続の一覧を、調べて分かったこととともに表示します。",
    "Find out on one hidden item what no document of the partner says. It is left as it was.": (
        "取引先の資料にないことを、非公開の商品1点で調べます。商品は元に戻します。"
    ),
    "Hand in catalogue files of a shop whose catalogue has no API. They count only as a whole set.": (
        "商品をAPIで取得できない店舗の商品ファイルを渡します。一式がそろって初めて使います。"
    ),
    "Show the address that the partner's notices must be sent to. Who knows it can wake us: keep it secret.": (
        "取引先の通知の送り先となるURLを表示します。知っている人は誰でも通知できるので、秘密にしてください。"
    ),
    "Make a connection before its credentials are there, to wait for an approval.": (
        "認証情報がそろう前に、承認待ちの接続を作ります。"
    ),
    "Show one connection: its state, settings, what is granted and read. Secrets are never shown.": (
        "接続を1つ、状態、設定、許可された権限、読み取った内容とともに表示します。秘密の値は表示しません。"
    ),
    "Ask the partner now whether the stored credential works.": (
        "保存してある認証情報が使えるかどうかを、今、取引先に確かめます。"
    ),
    "Replace credentials of the same shop. They are asked for, never given on the command line.": (
        "同じ店舗の認証情報を入れ替えます。値は質問に答えて入力し、コマンドラインには書きません。"
    ),
    "Verified before anything is saved; a refused one leaves the old one in force.": (
        "保存する前に確かめます。拒否された場合は、これまでの値を使い続けます。"
    ),
    "Link a connection anew after an uninstall or a removal. Its routes stay stopped until they are started.": (
        "アプリの削除や接続の解除の後に、つなぎ直します。ルートは開始するまで停止したままです。"
    ),
    "Unlink a connection: its routes stop, its secrets are erased, its journal stays.": (
        "接続を解除します。ルートは停止し、秘密の値は消去し、記録は残します。"
    ),
    "Say that an approval was applied for, or is there. One that is overdue is brought to mind daily.": (
        "承認を申請したこと、または承認されたことを記録します。遅れている申請は毎日お知らせします。"
    ),
    "Say that a step of the guide is done which nobody can see from here.": (
        "ここからは確かめられない手順が済んだことを記録します。"
    ),
    "The brake: movements that wait for a person.": "急な変動の保留 (人の確認を待つ変動) を扱います。",
    "Show what is held, by route: each cell with its level without and with the movement.": (
        "保留している変動をルートごとに、変動前と変動後の在庫数とともに表示します。"
    ),
    "Let go what is held of a route: it is told to the other side now.": (
        "ルートの保留を解き、今すぐ相手側に反映します。"
    ),
    "The built-in ledger: stock kept in this installation.": "内蔵の在庫台帳 (この環境に保存する在庫) を扱います。",
    "Take a stock file in, whole or not at all, once however often it is given.": (
        "在庫ファイルを取り込みます。全部か、まったく取り込まないかのどちらかで、何度渡しても一度だけ数えます。"
    ),
    "Write the ledger's levels as a file that `ledger import` reads back.": (
        "台帳の在庫数を、`ledger import` で読み戻せるファイルに書き出します。"
    ),
    "Show an item's levels at every location, with what is on hand and what is owed.": (
        "商品の在庫数を、実在庫と不足分とともに、ロケーションごとに表示します。"
    ),
    "Book a count: there were that many at that time. What was booked for later times stays on top.": (
        "棚卸の結果を、その時点の数として計上します。それより後の変動はその上に加わります。"
    ),
    "Add or take away units. A sale that has happened is never refused (--kind sale).": (
        "在庫を増減します。済んだ販売は拒否しません (--kind sale)。"
    ),
    "Show what was booked, oldest first: number, change, result, reason, and who did it.": (
        "計上した内容を古い順に表示します。番号、増減、結果、理由、行った人。"
    ),
    "Keys that let a warehouse system use the ledger's API.": "倉庫システムが台帳のAPIを使うためのキーを扱います。",
    "Make a key. It is shown once; only its hash is kept.": (
        "キーを作ります。表示は一度だけで、保存するのはハッシュだけです。"
    ),
    "List the keys there are and were, without their values.": "今あるキーと過去のキーを、値を伏せて一覧表示します。",
    "End a key for good, at once.": "キーをただちに、元に戻せない形で無効にします。",
    "What the ledger counts.": "台帳が数える商品を扱います。",
    "List the items by SKU.": "商品をSKU順に一覧表示します。",
    "Make an item, or change all of it.": "商品を作るか、その内容をすべて置き換えます。",
    "Where stock lies.": "在庫を置くロケーションを扱います。",
    "List the locations.": "ロケーションの一覧を表示します。",
    "Make a location, or change all of it.": "ロケーションを作るか、その内容をすべて置き換えます。",
    "Kinds of stock (sellable, damaged ...).": "在庫区分 (販売可能、破損など) を扱います。",
    "List the stock labels, and which of them may go below 0.": (
        "在庫区分の一覧と、0 未満になってよいかどうかを表示します。"
    ),
    "Make a stock label, or change whether its levels may go below 0.": (
        "在庫区分を作るか、0 未満になってよいかどうかを変更します。"
    ),
    "Addresses that are told which levels changed.": "在庫数の変化を知らせる送り先を扱います。",
    "Tell an address which levels change from now on. The signing secret is shown once.": (
        "今後の在庫数の変化を、このURLに知らせます。署名用の秘密の値は一度だけ表示します。"
    ),
    "List the addresses that are told, and how the delivery under way fares.": (
        "送り先の一覧と、送信中の通知の状況を表示します。"
    ),
    "Tell an address nothing more.": "このURLへの通知をやめます。",
    "Routes: a ledger and a channel that are kept equal.": (
        "連携ルート (在庫数を揃える台帳と販売チャネルの組) を扱います。"
    ),
    "List the routes with their state and counts.": "ルートの一覧を、状態と件数とともに表示します。",
    "Show one route: settings, locations, and which items matched and which did not, with the difference.": (
        "ルートを1つ、設定、ロケーション、一致した商品と一致しなかった商品の違いとともに表示します。"
    ),
    "Match the items of a route now, and report what matched and what did not. Changed pairs start anew.": (
        "ルートの商品を今すぐ紐付け直し、結果を表示します。変わった紐付けは最初からやり直します。"
    ),
    "Start a route under a preview.": "プレビューを承認して、ルートを開始します。",
    "Show the sales of an item that wait to be booked in the ledger; decide about those that are overdue.": (
        "台帳への計上を待っている商品の販売を表示し、遅れているものの扱いを決めます。"
    ),
    "Make a preview: every cell an alignment or a push would touch, before, after and why. Writes to no partner.": (
        "プレビューを作ります。合わせるとき、または一括反映で触れるセルの前後の数と理由を示します。取引先には書き込み"
        "ません。"
    ),
    "Carry one side's numbers to the other: first a preview, then, with --accept, a run that live changes overtake.": (
        "片側の在庫数をもう片側に反映します。まずプレビューを作り、--accept で実行します。その間の変動が優先します。"
    ),
    "Take a push back, as a run: each cell by the difference the push made, so that what was sold stays sold.": (
        "一括反映を取り消します。反映による差だけを各セルから戻すので、その間に売れた数はそのまま残ります。"
    ),
    "Stop a route: nothing more is written until a person starts it again. Says which numbers stay where.": (
        "ルートを停止します。人が再び開始するまで何も書き込みません。どの数がどこに残るかを表示します。"
    ),
    "Delete the whole SKU mapping of a route and stop it. `route match` makes the mapping again.": (
        "ルートの商品の紐付けをすべて削除し、停止します。`route match` で紐付け直せます。"
    ),
    "Watch a route: read and decide everything, write nothing. With --report: how the tool in use compares.": (
        "ルートを見守ります。すべて読み取って判断し、何も書き込みません。--report で今お使いのツールと比べます。"
    ),
    "A route that runs stops writing, and its next start is an alignment: that takes a confirmation.": (
        "稼働中のルートは書き込みをやめ、次の開始では在庫数を合わせ直します。そのため確認を求めます。"
    ),
    "While a ledger is counted, hold what it has more of; what it has less of flows at once.": (
        "台帳の棚卸の間、台帳で増えた分は保留し、減った分はすぐに反映します。"
    ),
    "`end` shows each held cell beside what is ordered and not shipped, and a number that stands for what was shown.": (
        "`end` は保留したセルを、受注済み・未出荷の数と、表示した内容を表す番号とともに表示します。"
    ),
    "`end --accept --seen NUMBER` tells that on and ends the stock-take; what came after stays held.": (
        "`end --accept --seen NUMBER` でその内容を反映して棚卸を終えます。その後の変動は保留のままです。"
    ),
    "Say that the goods of this code were counted and the ledger holds their number: it is uncertain no more.": (
        "このコードの商品を数え直し、台帳の数が正しいことを記録します。以後、不確かな商品として扱いません。"
    ),
    "How much of the stock a channel is told.": "在庫のうちどれだけを販売チャネルに公開するかを扱います。",
    "Show the route's rule and everything set otherwise; with a code, the arithmetic of its numbers.": (
        "ルートの公開設定と、商品ごとの設定を表示します。コードを指定すると在庫数の計算を示します。"
    ),
    "Set what a CSV says: first a preview of every number that changes, then, with --yes, a run that tells them.": (
        "CSV のとおりに設定します。まず変わる数のプレビューを表示し、--yes を付けると実行して反映します。"
    ),
    "Write what is set otherwise as the CSV that `publish import` reads.": (
        "商品ごとの設定を、`publish import` で読めるCSVに書き出します。"
    ),
    "Cells that are not written: refused by a partner, running away, or kept out. They are still read.": (
        "書き込みを止めているセル (取引先の拒否、数の繰り返し増減、人による対象外) を扱います。読み取りは続けます。"
    ),
    "List the cells in quarantine, oldest first.": "隔離中のセルを古い順に一覧表示します。",
    "Let cells be written again, once what was wrong with them is mended; those too that a person kept out.": (
        "原因を直したセルへの書き込みを再開します。人が対象外にしたセルも再開できます。"
    ),
    "Try again to write cells that a partner refused. One that it refuses again comes back.": (
        "取引先が拒否したセルに、もう一度書き込みます。再び拒否されたものは隔離に戻ります。"
    ),
    "Keep cells out: nothing is written to them until `quarantine release`.": (
        "セルを対象外にします。`quarantine release` まで書き込みません。"
    ),
    "Orders that do not count yet: kept for an item that no route knows, or not paid.": (
        "まだ数えていない注文 (どのルートにもない商品の注文、未入金の注文) を扱います。"
    ),
    "List order lines that do not count yet, oldest first. Of an order only number, item and units are kept.": (
        "まだ数えていない注文明細を古い順に一覧表示します。注文について保存するのは番号、商品、個数だけです。"
    ),
    "Keep these orders of unknown items no longer: they were booked by hand, or are nobody's stock.": (
        "紐付けのない商品の注文の保存をやめます。手で計上した場合や、在庫に関係しない場合に使います。"
    ),
    "Alerts: what a person should know.": "アラート (お知らせすべきこと) を扱います。",
    "List open alerts, oldest first.": "未解決のアラートを古い順に一覧表示します。",
    "Long jobs: imports, reconciles, pushes and their undoing.": (
        "時間のかかる処理 (取り込み、照合、一括反映とその取り消し) を扱います。"
    ),
    "List the latest runs.": "最近の実行の一覧を表示します。",
    "Show one run: done, total, rate, seconds left, and the rows that were skipped, failed or left.": (
        "実行を1つ、済んだ数、全体の数、速さ、残り時間、対象外・失敗・未着手の行とともに表示します。"
    ),
    "Stop a run. What it has written stays; the rest is confirmed no more until it goes on.": (
        "実行を停止します。書き込んだものは残り、残りは再開するまで書き込みません。"
    ),
    "Let a stopped run go on. Cells that changed since their preview are skipped, and `run show` lists them.": (
        "停止した実行を再開します。プレビュー後に変わったセルは対象外とし、`run show` で確認できます。"
    ),
    "What runs by itself: when each job runs next, and its switch.": (
        "自動で動くジョブの次回の時刻を確認し、オンとオフを切り替えます。"
    ),
    "List the jobs: what triggers each, whether it is on, when it ran, and when it runs next.": (
        "ジョブの一覧を、きっかけ、オン・オフ、前回と次回の時刻とともに表示します。"
    ),
    "Switch a job on. One that is overdue runs once, now.": (
        "ジョブをオンにします。予定を過ぎていれば、今すぐ一度動かします。"
    ),
    "Switch a job off, and nothing else: notices and polls still find what changes.": (
        "ジョブだけをオフにします。通知と定期的な確認は続くので、変化は今までどおり見つかります。"
    ),
    "Simulated partners on loopback, and what people do there.": (
        "この端末で動く模擬の取引先と、そこでの人の操作を扱います。"
    ),
    "Sell at the simulated register, or order at the simulated shop.": (
        "模擬のレジで販売するか、模擬の店舗で注文します。"
    ),
    "Let goods come in at the simulated register or shop.": "模擬のレジまたは店舗に入荷します。",
    "Show the numbers that the simulated register and shop show now.": "模擬のレジと店舗の今の在庫数を表示します。",
    "Show every change of a number at the simulated register and shop, from their own logs.": (
        "模擬のレジと店舗の在庫数の変化を、それぞれの記録からすべて表示します。"
    ),
}
