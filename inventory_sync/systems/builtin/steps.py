"""Setting up the built-in ledger, step by step."""

from __future__ import annotations

from inventory_sync.systems.steps import Step, StepProof, Way

OWN, OTHER = "own", "other"

WAYS = (
    Way(OWN, "The ledger of this installation", "このインストールの台帳"),
    Way(OTHER, "The ledger of another installation", "別のインストールの台帳", sign=("base_url", "api_key")),
)

STEPS = (
    Step(
        "address",
        "Name the other installation, and a key made there",
        "別のインストールのアドレスと、そこで作成したキーを指定する",
        "Its https address, and a key from `inventory-sync ledger keys create NAME` there.",
        "https のアドレスと、そこで `inventory-sync ledger keys create 名前` で作成したキーです。",
        StepProof.ANSWERS,
        fields=("base_url", "api_key"),
        ways=(OTHER,),
    ),
    Step(
        "ledger",
        "The ledger answers",
        "台帳に接続できる",
        "Applying the configuration makes it, with one location and one stock label.",
        "設定を適用すると、ロケーションと在庫区分が1つずつある台帳が作られます。",
        StepProof.VERIFIED,
    ),
    Step(
        "locations",
        "It has locations",
        "ロケーションがある",
        "`inventory-sync ledger locations put NAME`",
        "`inventory-sync ledger locations put 名前` で追加できます。",
        StepProof.LOCATIONS,
    ),
    Step(
        "key",
        "Give the warehouse system a key, or let it hand in files",
        "倉庫システムにキーを渡す、またはファイルで連携する",
        "`inventory-sync ledger keys create NAME` shows a key once. Without an API: CSV files, by command, "
        "from a folder "
        "or over SFTP (`files` of the connection).",
        "`inventory-sync ledger keys create 名前` で一度だけ表示されます。APIがない場合は、コマンド・フォル"
        "ダ・SFTPでCSVを取り込み"
        "ます(接続の `files`)。",
        StepProof.PERSON,
        ways=(OWN,),
    ),
    Step(
        "catalogue",
        "The items are in",
        "商品を登録する",
        "`inventory-sync ledger items put SKU --name NAME`, the API or a file; they are taken in while "
        "`inventory-sync serve` runs.",
        "`inventory-sync ledger items put SKU --name 名前`、API、ファイルのいずれかで登録すると、"
        "`inventory-sync serve` が取り込みます。",
        StepProof.CATALOGUE,
    ),
)

READS_EN = ("items, locations and stock levels of the ledger", "the ledger's entries, for the cause of a change")
READS_JA = ("台帳の商品・ロケーション・在庫数", "台帳の記録(変動の理由)")
