"""Every cause in one sentence of each language, fit to be read out on the phone."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.engine.explain.causes import Cause

TEXTS: Mapping[Cause, tuple[str, str]] = {
    Cause.UNKNOWN_CODE: (
        "商品コード {code} は、どの接続の商品にもありません。",
        "No item of any connection has the code {code}.",
    ),
    Cause.AMBIGUOUS: (
        "商品コード {code} はあいまいです。{why}ため、どの商品か担当者が決めるまで何も書き込みません。",
        "The code {code} is ambiguous: {why}, so nothing is written before a person decides.",
    ),
    Cause.BUNDLE: (
        "{where} の {item} は組み合わせ商品の親です。在庫は構成品にあるため、連動の対象外です。",
        "At {where}, {item} is the parent of a bundle: its stock is that of its components, so it is left alone.",
    ),
    Cause.UNTRACKED: (
        "{where} の {item} は在庫管理がオフのため、連動の対象外です。",
        "At {where}, stock is not managed for {item}, so it is left alone.",
    ),
    Cause.GONE: (
        "{where} の商品一覧から {item} がなくなっています。",
        "{item} is no longer in the catalogue of {where}.",
    ),
    Cause.NO_CODE: (
        "{where} の {item} には、紐付けに使う項目 {fields} の値がありません。",
        "At {where}, {item} has nothing in {fields}, by which the route matches.",
    ),
    Cause.COMPLAINT: (
        "対応表またはセットの {code} に問題があります。{detail}",
        "The code table or a set is wrong about {code}: {detail}",
    ),
    Cause.NEAR_MISS: (
        "{where} の {code} に一致する商品はありませんが、{other} にほぼ同じコード {near} があります。{detail}",
        "Nothing matches {code} of {where}, but {other} has almost the same code, {near}. {detail}",
    ),
    Cause.UNMATCHED: (
        "{where} の {code} と同じコードの商品が {other} にないため、紐付いていません。",
        "{other} has no item with the same code as {code} of {where}, so it is not matched.",
    ),
    Cause.NOT_MATCHED_YET: (
        "ルート {route} の商品の紐付けがまだ行われていません。",
        "The items of the route {route} have not been matched yet.",
    ),
    Cause.NO_PLACES: (
        "ルート {route} のロケーションがまだ紐付いていません。",
        "The route {route} has no locations mapped yet.",
    ),
    Cause.UNMAPPED: (
        "ルート {route} の SKU の紐付けを人が削除しました。紐付け直すまで何も書き込みません。",
        "A person deleted the SKU mapping of the route {route}; nothing is written before it is matched again.",
    ),
    Cause.NO_PAIR: (
        "{code} は両側にありますが、まだ紐付いていません。ロケーションの設定と、ほかのルートを確認してください。",
        "Both sides have {code}, but they are not paired yet: look at the locations, and at other routes.",
    ),
    Cause.CONNECTION_BROKEN: (
        "接続 {connection} が使えません。{reason}対処: {remedy}",
        "The connection {connection} does not work. {reason} What to do: {remedy}",
    ),
    Cause.BOOKED_TWICE: (
        "こちらが台帳に計上した売上を別のアプリももう一度計上しているため、ルート {route} を止めています。",
        "Another app booked the sales too that we book in the ledger, so the route {route} is blocked.",
    ),
    Cause.SECOND_WRITER: (
        "{connection} で、別のプログラムがこちらの書き込みを元に戻しています。同じ数を書くのは一方だけにしてください。",
        "At {connection}, a second writer keeps undoing what we write. Only one program may set these numbers.",
    ),
    Cause.ROUTE_BLOCKED: (
        "ルート {route} は安全のため止まっています。{reasons}。{remedy}",
        "The route {route} is blocked for safety: {reasons}. {remedy}",
    ),
    Cause.ROUTE_STOPPED: (
        "ルート {route} は停止中です。停止中は何も書き込みません。",
        "The route {route} is stopped, and nothing is written while it is.",
    ),
    Cause.WATCHING: (
        "ルート {route} は見守り中です。計算だけを行い、何も書き込みません。",
        "The route {route} is only watching: it decides everything and writes nothing.",
    ),
    Cause.ZEROED: (
        "ルート {route} を止めたときに、{where} を 0 にすることが選ばれました。",
        "The route {route} was stopped, and a person chose to tell {where} 0.",
    ),
    Cause.SUSPENDED: (
        "この紐付けは外れているため、書き込みません。{why}。",
        "This pair is suspended and not written any more: {why}.",
    ),
    Cause.NOT_PUBLISHED: (
        "ルート {route} の公開設定で、この商品は対象外になっています。",
        "The publish rule of the route {route} leaves this item out.",
    ),
    Cause.RUNAWAY: (
        "{where} の数が短い間に繰り返し増減したため、この商品を止めています。",
        "The number at {where} ran up and down without end, so this item is stopped.",
    ),
    Cause.EXCLUDED: (
        "{where} は、人が対象外にしています。",
        "A person keeps {where} out.",
    ),
    Cause.QUARANTINED: (
        "{where} は隔離中です。取引先が書き込みを拒否しました。{reason}",
        "{where} is in quarantine, because the partner refused to write it. {reason}",
    ),
    Cause.IN_DOUBT: (
        "{where} への {units} の書き込みの応答がなく、届いたかどうかを確認しています。",
        "A write of {units} to {where} was never answered; whether it took effect is being found out.",
    ),
    Cause.SALE_NOT_BOOKED: (
        "売れた {units} 個が期限を過ぎても台帳に計上されていないため、公開する数から除いたままです。{orders}",
        "{units} units that were sold are overdue: not in the ledger, and held out of the number.{orders}",
    ),
    Cause.SALE_EXPECTED: (
        "売れた {units} 個が台帳に計上されるのを待っています。それまで公開する数から除いています。",
        "{units} units were sold and are expected to be booked in the ledger; until then they are held out.",
    ),
    Cause.HELD_BY_BRAKE: (
        "{where} の {units} の変動は普段と違うため、ブレーキが保留しています。担当者が確認して解除すると反映します。",
        "A change of {units} at {where} is held by the brake, because it is unusual; a person releases it.",
    ),
    Cause.HELD_BY_STOCKTAKE: (
        "{where} の {units} の増加は棚卸中のため保留しています。棚卸を終えると反映します。",
        "A change of {units} at {where} is held because a stock-take is going on; it counts when that ends.",
    ),
    Cause.OVERSOLD: (
        "在庫より {units} 個多く売れています。販売チャネルには 0 を伝えています。",
        "{units} more units were sold than there are; the channel is told 0.",
    ),
    Cause.INACTIVE: (
        "{where} では、この商品の在庫がこの場所で有効になっていません。",
        "At {where}, the level of this item is inactive: it is not stocked at this place.",
    ),
    Cause.CELL_UNTRACKED: (
        "{where} では、この商品の在庫管理がオフになりました。",
        "At {where}, stock is no longer managed for this item.",
    ),
    Cause.CELL_GONE: (
        "{where} から、この商品がなくなりました。",
        "This item is gone from {where}.",
    ),
    Cause.NOT_ALIGNED: (
        "この商品は両側を合わせる前です。プレビューで確認するまで書き込みません。{why}。",
        "This item must be aligned first; nothing is written before its preview is accepted: {why}.",
    ),
    Cause.WAITING: (
        "この商品は人の確認を待っています。減らす書き込みだけを行います。{why}。",
        "This item waits for a person, and until then only decreases are written: {why}.",
    ),
    Cause.CATCHING_UP: (
        "停止の後、両側を読み直しているところです。読み終わるまで増やしません。",
        "After a stop both sides are being read again; no increase is written before that.",
    ),
    Cause.UNREAD: (
        "{where} の数をまだ一度も読み取っていません。",
        "The number at {where} has not been read yet.",
    ),
    Cause.LEDGER_NOT_READABLE: (
        "台帳の数を読み取れないため、販売チャネルへ伝える数を計算できません。",
        "The ledger's number cannot be read, so there is nothing to tell the channel.",
    ),
    Cause.OLDER_READING: (
        "{where} の変更を知りましたが、取引先が見せた数は変更より古い可能性があります。{at} に読み直します。",
        "A change at {where} was heard of, but the partner's reading may be older than it; it is read again at {at}.",
    ),
    Cause.LEDGER_DIRTY: (
        "台帳で変更があったため、読み直してから増やします。",
        "The ledger changed; it is read before the channel is raised.",
    ),
    Cause.LEDGER_IN_DOUBT: (
        "台帳への書き込みの結果を確認しているため、まだ増やしません。",
        "A write to the ledger is in doubt, so the channel is not raised yet.",
    ),
    Cause.READ_FIRST: (
        "{where} の変更を知ったため、書き込む前に読み直します。",
        "A change at {where} was heard of; it is read before it is written again.",
    ),
    Cause.FALL_READ_FIRST: (
        "台帳が減りました。まだ知らない売上の計上かもしれないため、販売チャネルを先に読みます。",
        "The ledger fell; that may book a sale we have not heard of, so the channel is read first.",
    ),
    Cause.UNEXPLAINED: (
        "{where} の数に、注文では説明できない差があります。確かめるまで増やしません。",
        "{where} shows a difference that no order explains; it is not raised before that is settled.",
    ),
    Cause.BELOW_ZERO: (
        "{where} は予約注文で 0 より下です。伝える数が 0 を超えるまで、そのままにします。",
        "{where} is below zero because of backorders, and stays so until there is something to sell.",
    ),
    Cause.NO_WRITES: (
        "ルート {route} は販売チャネルから台帳への一方向のため、販売チャネルには書き込みません。",
        "The route {route} only goes from the channel to the ledger; the channel is never written.",
    ),
    Cause.IN_RUN: (
        "一括反映の実行中で、{where} の順番を待っています。",
        "A run is writing the whole catalogue, and {where} waits for its turn in it.",
    ),
    Cause.HELD_BACK: (
        "書き込みを控えています。理由は {reason} です。",
        "It is not written at present; the reason is {reason}.",
    ),
    Cause.ACCEPTED: (
        "{where} への {units} の書き込みは取引先が受け付け済みで、完了の確認を待っています。",
        "A write of {units} to {where} was accepted by the partner, its confirmation is awaited.",
    ),
    Cause.IN_FLIGHT: (
        "{where} へ {units} を書き込み中で、応答を待っています。",
        "A write of {units} to {where} is under way, and its answer is awaited.",
    ),
    Cause.TO_BE_WRITTEN: (
        "{target} に変えるところです。{units} の書き込みが順番を待っています。",
        "It is about to become {target}: a write of {units} waits for its turn.",
    ),
    Cause.TO_BE_POSTED: (
        "{where} へ {units} を計上するところです。",
        "{units} are about to be booked at {where}.",
    ),
    Cause.BOOKED_TOO: (
        "{where} で、こちらが {units} を計上した前後に、別のアプリも同じ数を計上しています。",
        "At {where}, another app booked {units} too, close to our own booking of the same.",
    ),
    Cause.UNCERTAIN: (
        "結果を確認できない書き込みがあり、最大 {units} 個少ない可能性があります。数えて台帳を直してください。",
        "The outcome of a write was never learnt: the number may be up to {units} too low. A count settles it.",
    ),
    Cause.LATE_SALE: (
        "{where} で {happened} に売れた {units} 個が、{late}遅れて届きました。レジが通信できなかった間の売上です。",
        "{units} units sold at {where} at {happened} arrived {late} late: the register was offline.",
    ),
    Cause.OFFSET: (
        "公開設定により {units} 個を加減しています。{until}",
        "The publish rule adds {units} units{until}.",
    ),
    Cause.OFFSET_ENDED: (
        "公開設定の加減は {at} に終わりました。",
        "The offset of the publish rule ended at {at}.",
    ),
    Cause.END_WHEN: (
        "残りが {units} 個以下のため、公開設定により 0 にしています。",
        "No more than {units} are left, and the publish rule ends there: the channel is told 0.",
    ),
    Cause.AUTO_BUFFER: (
        "自動の安全在庫として {units} 個を残しています: {sum}。",
        "{units} units are kept back as an automatic buffer: {sum}.",
    ),
    Cause.OVERRIDE: (
        "この商品コードには {what} が個別に設定されています({by}、{at})。",
        "For this code alone {what} is set, by {by} at {at}.",
    ),
    Cause.CAP: (
        "上限の設定により、最大 {units} 個を公開しています。",
        "A cap lets the channel show {units} units at most.",
    ),
    Cause.PERCENT: (
        "在庫の {percent} パーセントだけを公開しています。",
        "Only {percent} percent of the stock is published.",
    ),
    Cause.BUFFER: (
        "安全在庫として {units} 個を残しています。",
        "{units} units are kept back as a buffer.",
    ),
    Cause.KEPT: (
        "開始時に確認した差 {units} 個をそのまま残しています。",
        "A difference of {units} that was accepted at the start is kept.",
    ),
    Cause.ORDERS_KEPT: (
        "商品が紐付く前の注文 {orders} の {units} 個を控えており、まもなく台帳に計上します。",
        "{units} units are kept for orders from before the item was matched: {orders}. The ledger is told soon.",
    ),
    Cause.ORDERS_UNPAID: (
        "未入金の注文 {orders} の {units} 個をこのチャネルの数から控えています。台帳にはまだ計上していません。",
        "{units} units are held out of this channel for unpaid orders: {orders}. The ledger is not told yet.",
    ),
    Cause.ORDERS_IGNORED: (
        "未入金の注文 {orders} の {units} 個は、入金されるまで数えない設定です。二重に売れることがあります。",
        "{units} units of unpaid orders do not count until they are paid: {orders}. They can be sold twice.",
    ),
    Cause.ORDERS_HELD: (
        "まだ確定していない注文の {units} 個を控えています。",
        "{units} units are kept for orders that do not count yet.",
    ),
    Cause.COMMITTED: (
        "台帳は現物の数のため、受注済み・未出荷の {units} 個を差し引いています。",
        "The ledger counts what is on the shelf, so {units} units ordered and not shipped are taken off.",
    ),
    Cause.UNDONE: (
        "{where} への反映を人が取り消し、{units} を書いて戻しました。",
        "A person undid a push: {units} were written to {where} to take it back.",
    ),
    Cause.COMPENSATED: (
        "{where} への書き込みが二重に効いたため、{units} を書いて元に戻しました。",
        "A write to {where} took effect twice; {units} were written to take it back.",
    ),
    Cause.COUNTED: (
        "{where} で {at} に棚卸があり、{before} から {after} になりました。",
        "At {where} the stock was counted at {at}: {before} became {after}.",
    ),
    Cause.RETURNED: (
        "{where} で {at} に返品があり、{before} から {after} になりました。",
        "At {where} goods were returned at {at}: {before} became {after}.",
    ),
    Cause.TRANSFERRED: (
        "{where} で {at} に店舗間の移動があり、{before} から {after} になりました。",
        "At {where} goods were transferred at {at}: {before} became {after}.",
    ),
    Cause.SOLD: (
        "{where} で {at} に店頭の販売があり、{before} から {after} になりました。",
        "At {where} a sale at the register at {at} made {before} become {after}.",
    ),
    Cause.RECEIVED: (
        "{where} で {at} に入荷があり、{before} から {after} になりました。",
        "At {where} goods were received at {at}: {before} became {after}.",
    ),
    Cause.LAID_AWAY: (
        "{where} で {at} に取り置きがあり、{before} から {after} になりました。",
        "At {where} goods were laid away at {at}: {before} became {after}.",
    ),
    Cause.SHIPPED: (
        "{where} で {at} に出荷があり、{before} から {after} になりました。",
        "At {where} goods were shipped at {at}: {before} became {after}.",
    ),
    Cause.RESERVED: (
        "{where} で {at} に受注の引き当てがあり、{before} から {after} になりました。",
        "At {where} order management reserved goods at {at}: {before} became {after}.",
    ),
    Cause.LOST: (
        "{where} で {at} にロスの計上があり、{before} から {after} になりました。",
        "At {where} goods were written off at {at}: {before} became {after}.",
    ),
    Cause.CORRECTED: (
        "{where} で {at} に人が数を直し、{before} から {after} になりました。",
        "At {where} a person corrected the number at {at}: {before} became {after}.",
    ),
    Cause.OTHER_APP: (
        "{where} で {at} に別のアプリが数を変え、{before} から {after} になりました。",
        "At {where} another app changed the number at {at}: {before} became {after}.",
    ),
    Cause.LEDGER_MOVED: (
        "{where} が {at} に {before} から {after} になりました。理由はまだわかっていません。",
        "{where} went from {before} to {after} at {at}; why is not known.",
    ),
    Cause.CHANNEL_SOLD: (
        "{where} で {at} に {units} 個減りました。注文または人の操作です。",
        "{where} fell by {units} at {at}: an order, or a person.",
    ),
    Cause.CHANNEL_RAISED: (
        "{where} で {at} に {units} 個増えました。キャンセルまたは人の操作です。",
        "{where} rose by {units} at {at}: a cancellation, or a person.",
    ),
    Cause.EQUAL: (
        "台帳と合っています。",
        "It is as the ledger says.",
    ),
}


def say(cause: Cause, **values: tuple[str, str] | str | int | None) -> tuple[str, str]:
    """The sentence of a cause in Japanese and English. A value that differs by language is given as both.

    >>> say(Cause.BUFFER, units=2)[1]
    '2 units are kept back as a buffer.'
    """
    japanese, english = TEXTS[cause]
    ja = {name: value[0] if isinstance(value, tuple) else value for name, value in values.items()}
    en = {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}
    told = " ".join(japanese.format(**ja).split()).replace(" 「", "「").replace("」 ", "」")
    return told, " ".join(english.format(**en).split())
