"""What the words that `setup` offers mean, in Japanese and English; the words themselves are what is answered."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.cli.texts import Language

Meanings = Mapping[str, tuple[str, str]]

DIRECTION: Meanings = {
    "two_way": (
        "両方向: 台帳の数を販売チャネルに伝え、販売チャネルで売れた分を台帳から減らす",
        "both ways: the channel is told the ledger's number, and its sales come off the ledger",
    ),
    "ledger_to_channel": (
        "台帳から販売チャネルへの一方向: 台帳には何も書き込まない",
        "one way, ledger to channel: the ledger is never written",
    ),
    "channel_to_ledger": (
        "販売チャネルから台帳への一方向: 販売チャネルには何も書き込まない",
        "one way, channel to ledger: the channel is never written",
    ),
}

SALES: Meanings = {
    "post": ("本製品が台帳に計上する", "this product books them in the ledger"),
    "expect": (
        "受注管理システムや担当者が計上する。計上されるまで、売れた分は公開する数から除く",
        "an order system or a person books them; until then what was sold is held out of the number",
    ),
}

BASIS: Meanings = {
    "stock": ("台帳に表示される在庫数", "the stock as the ledger shows it"),
    "stock_minus_layaway": ("在庫数から取り置きを除いた数", "the stock less what is laid away"),
    "on_hand": (
        "実際にある数。注文では減らず、出荷で減る",
        "what is physically there: shipments lower it, orders do not",
    ),
    "free": (
        "引当済みの注文を除いた、これから販売できる数",
        "what may still be sold: what orders have taken is out of it already",
    ),
}

ALIGN: Meanings = {
    "ledger_wins": ("在庫台帳を優先: 販売チャネルを台帳の数に合わせる", "the channel is set to the ledger's number"),
    "channel_wins": (
        "販売チャネルを優先: 台帳を販売チャネルの数に合わせる",
        "the ledger is moved to what the channel shows",
    ),
    "keep_difference": (
        "差を残す: どちらの数も変えず、今の差を保ったまま連携する",
        "neither is changed; today's difference stays, and changes are carried from here on",
    ),
}

FIELDS: Meanings = {
    "product_code": ("商品コード", "product code"),
    "supplier_product_no": ("品番", "supplier's product number"),
    "group_code": ("グループコード", "group code"),
    "custom_code": ("独自商品コード", "the shop's own code"),
    "jan_code": ("JAN コード", "JAN code"),
    "system_code": ("システム商品コード", "code that the system gave it"),
    "sku": ("SKU (商品管理番号)", "SKU"),
    "barcode": ("バーコード (JAN など)", "barcode (JAN and others)"),
}


def meant(language: Language, meanings: Meanings, word: str) -> str:
    """A word with what it means, in the chosen language; one that nobody explains stands alone.

    >>> meant("en", SALES, "post")
    'post: this product books them in the ledger'
    >>> meant("en", FIELDS, "colour")
    'colour'
    """
    if word not in meanings:
        return word
    japanese, english = meanings[word]
    return f"{word}: {japanese if language == 'ja' else english}"
