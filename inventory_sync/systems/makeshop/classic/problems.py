"""Every problem the classic transport can report: a stable code, what is wrong, what to do, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.systems.problem import Problem

ORDER_CODE_REFUSED = Problem(
    "IS-MKC-001",
    "MakeShop refused the order authentication code or the shop ID",
    "注文データ連携の認証コードまたはショップIDがMakeShopに拒否されました",
    "Copy the shop ID and the code of 注文データ連携設定 again, without blanks. Never issue a new one: tools share it.",
    "ショップIDと注文データ連携設定の認証コードを、空白を入れずにもう一度コピーしてください。再発行はしないでください。",
)
PRODUCT_CODE_REFUSED = Problem(
    "IS-MKC-002",
    "MakeShop refused the product authentication code",
    "商品データ連携の認証コードがMakeShopに拒否されました",
    "Copy the code at ショップ構築 > 設定 > API > 商品 > 認証コード again. Never issue a new one: others share it.",
    "ショップ構築 > 設定 > API > 商品 > 認証コード をもう一度コピーしてください。再発行はしないでください。",
)
PASSWORD_REFUSED = Problem(
    "IS-MKC-003",
    "MakeShop refused the administrator ID or password",
    "管理者IDまたはパスワードがMakeShopに拒否されました",
    "Enter the ID and password of the main administrator; those of a sub-administrator cannot upload.",
    "メイン管理者のIDとパスワードを入力してください。副管理者ではアップロードできません。",
)
PASSWORD_TOO_LONG = Problem(
    "IS-MKC-004",
    "The administrator password is longer than the 12 characters that uploads accept",
    "管理者パスワードが、アップロードで使える12文字を超えています",
    "Shorten the main administrator's password to 12 characters or fewer at MakeShop first, then enter it here.",
    "先にMakeShopでメイン管理者のパスワードを12文字以内に変更してから、ここに入力してください。",
)
CREDENTIAL_MISSING = Problem(
    "IS-MKC-005",
    "A setting that the classic API needs is missing",
    "従来APIに必要な設定がありません",
    "Enter the named setting; the guide says where MakeShop shows it.",
    "表示された設定を入力してください。確認場所は接続ガイドにあります。",
)
BLOCKED = Problem(
    "IS-MKC-006",
    "MakeShop blocks our access",
    "MakeShopへのアクセスが遮断されています",
    "Make sure no other tool calls MakeShop's API for this shop, lower the rate, then ask MakeShop to unblock.",
    "同じショップでAPIを使う他のツールがないか確認し、頻度を下げてからMakeShopに解除を依頼してください。",
)
API_GONE = Problem(
    "IS-MKC-007",
    "MakeShop's classic API no longer answers at this address",
    "このURLではMakeShopの従来APIが応答しません",
    "The classic API is being closed; apply for the GraphQL API and set api to graphql.",
    "従来APIは提供終了予定です。新しいAPI(GraphQL)を申請し、apiをgraphqlに変更してください。",
)
UNAVAILABLE = Problem(
    "IS-MKC-008",
    "MakeShop answered with a server error or maintenance page",
    "MakeShopがサーバーエラーまたはメンテナンス画面を返しました",
    "Nothing to do; it is tried again. If it lasts, look at MakeShop's maintenance notices.",
    "対応は不要です。自動で再試行します。続く場合はMakeShopのメンテナンス情報を確認してください。",
)
UNREACHABLE = Problem(
    "IS-MKC-009",
    "MakeShop could not be reached or did not answer in time",
    "MakeShopに接続できないか、時間内に応答がありませんでした",
    "Nothing to do; it is tried again. If it lasts, check this machine's network and base_url.",
    "対応は不要です。自動で再試行します。続く場合はネットワークとbase_urlを確認してください。",
)
UNKNOWN_SHAPE = Problem(
    "IS-MKC-010",
    "MakeShop's answer has a form this version does not know",
    "応答の形式がこのバージョンの想定と異なります",
    "Report this code with the call it names; the answer was not used.",
    "表示された呼び出しとともにこのコードを報告してください。応答は使用していません。",
)
CALL_REFUSED = Problem(
    "IS-MKC-011",
    "MakeShop refused our call",
    "リクエストがMakeShopに拒否されました",
    "Report this code with the call it names; nothing was changed.",
    "表示された呼び出しとともにこのコードを報告してください。変更は行われていません。",
)
ACCESS_ENDED = Problem(
    "IS-MKC-013",
    "MakeShop no longer accepts the access address it issued",
    "発行されたアクセスURLが無効になりました",
    "Nothing to do; a new address is asked for.",
    "対応は不要です。新しいアクセスURLを取得します。",
)
NEXT_STEP = Problem(
    "IS-MKC-014",
    "The next step waits for its place in the request rate",
    "リクエスト頻度に合わせて次の手順を待機しています",
    "Nothing to do; one request a second is all that MakeShop allows.",
    "対応は不要です。MakeShopの上限(1秒に1件)に合わせて送信します。",
)
TOO_MANY_ORDERS = Problem(
    "IS-MKC-020",
    "More orders share a few seconds than MakeShop lists at once",
    "同じ数秒間の注文が、MakeShopが一度に返せる件数を超えています",
    "Compare MakeShop's order list of that time with the stock; orders beyond the first hundred were not heard of.",
    "その時刻の受注一覧と在庫を照合してください。101件目以降の注文は取得できていません。",
)
ROW_REFUSED = Problem(
    "IS-MKC-030",
    "MakeShop refused a row of the upload",
    "アップロードした行がMakeShopに拒否されました",
    "Look at the product in MakeShop, upload fresh product and option files here, then release it from quarantine.",
    "MakeShopで該当商品を確認し、最新の商品CSVとオプションCSVを取り込んでから保留を解除してください。",
)
COLUMNS_REFUSED = Problem(
    "IS-MKC-031",
    "MakeShop says the upload has another number of columns than it expects",
    "アップロードした項目数がMakeShopの項目数と一致しません",
    "Download product and option CSV again and upload both here, so that the present columns become known.",
    "商品CSVとオプションCSVをダウンロードし直し、両方を取り込んでください。最新の項目構成が反映されます。",
)
CHANGE_IMPOSSIBLE = Problem(
    "IS-MKC-032",
    "A stock change cannot be written into an upload file",
    "在庫変更をアップロード用ファイルに書けません",
    "Report this code with the item it names; nothing was sent.",
    "表示された商品とともにこのコードを報告してください。送信は行われていません。",
)
OUTCOME_UNKNOWN = Problem(
    "IS-MKC-033",
    "It is not known whether MakeShop carried out the upload",
    "アップロードが反映されたか確認できません",
    "Nothing to do; after a while the number is written again from the present state.",
    "対応は不要です。一定時間後に最新の状態から書き直します。",
)
BY_FILES = Problem(
    "IS-MKC-040",
    "The classic API has no product list; product CSV and option CSV are needed",
    "従来APIには商品一覧がありません。商品CSVとオプションCSVが必要です",
    "Download both files from MakeShop and upload them together.",
    "MakeShopから両方のファイルをダウンロードし、一緒に取り込んでください。",
)
NO_HISTORY = Problem(
    "IS-MKC-041",
    "MakeShop has no stock history that can be read",
    "MakeShopには参照できる在庫履歴がありません",
    "Nothing to do; open questions are settled by writing the number again.",
    "対応は不要です。不明な変更は数量を書き直して解消します。",
)
NOT_A_CATALOGUE_FILE = Problem(
    "IS-MKC-042",
    "The file is neither the product CSV nor the option CSV of MakeShop",
    "商品CSV(商品一括登録)でもオプションCSV(オプション一括登録)でもないファイルです",
    "Download both files anew at 商品一括登録 and オプション一括登録, with all columns, and hand both in.",
    "商品一括登録とオプション一括登録から全項目でダウンロードし直し、2つとも渡してください。",
)
NO_NOTIFY_TOKEN = Problem(
    "IS-MKC-050",
    "No notification token is set, so no notice can prove where it comes from",
    "更新通知用のトークンが未設定のため、通知の送信元を確認できません",
    "Save the connection again, so that a token is made, and enter the address shown into 更新通知のAPIのURL.",
    "接続を保存し直してトークンを発行し、表示されたURLを「更新通知のAPIのURL」に入力してください。",
)
BAD_NOTIFY_TOKEN = Problem(
    "IS-MKC-051",
    "A notice came to an address with a wrong token",
    "トークンが一致しないURLに通知が届きました",
    "Copy the address this connection shows into 更新通知のAPIのURL unchanged.",
    "この接続に表示されたURLを、変更せずに「更新通知のAPIのURL」へ貼り付けてください。",
)
FILE_REFUSED = Problem(
    "IS-MKC-060",
    "A product or option file cannot be used, so neither of the two was",
    "商品CSVまたはオプションCSVが使えないため、両方とも取り込みませんでした",
    "Mend what is named, or download both files from MakeShop again, and upload both.",
    "表示された箇所を直すか、両方のファイルをMakeShopからダウンロードし直して、再度取り込んでください。",
)
COLUMNS_CHANGED = Problem(
    "IS-MKC-061",
    "A file has other columns than the last one that was accepted",
    "前回取り込んだファイルと項目構成が異なります",
    "Compare the columns named; if MakeShop changed its layout, confirm the new columns.",
    "表示された項目を確認し、MakeShopの仕様変更であれば新しい項目構成を承認してください。",
)

PROBLEMS: Mapping[str, Problem] = {
    value.code: value for name, value in sorted(globals().items()) if isinstance(value, Problem)
}
