"""Every problem the GraphQL transport can report: a stable code, what is wrong, what to do, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.systems.problem import Problem

UNREACHABLE = Problem(
    "IS-MKS-001",
    "MakeShop could not be reached or did not answer in time",
    "MakeShopに接続できないか、時間内に応答がありませんでした",
    "Nothing to do; it is tried again. If it lasts, check this machine's network and the address in the settings.",
    "対応は不要です。自動で再試行します。続く場合はネットワークと設定のURLを確認してください。",
)
UNAVAILABLE = Problem(
    "IS-MKS-002",
    "MakeShop answered with a server error",
    "MakeShopがサーバーエラーを返しました",
    "Nothing to do; it is tried again. If it lasts, look at MakeShop's maintenance notices.",
    "対応は不要です。自動で再試行します。続く場合はMakeShopのメンテナンス情報を確認してください。",
)
THROTTLED = Problem(
    "IS-MKS-003",
    "MakeShop asked us to slow down",
    "MakeShopのリクエスト上限に達しました",
    "Nothing to do. If it repeats, lower requests_per_second, or look for another tool that uses the same credentials.",
    "対応は不要です。繰り返す場合はrequests_per_secondを下げるか、同じ認証情報を使う別のツールがないか確認してください。",
)
OUT_OF_BUDGET = Problem(
    "IS-MKS-004",
    "Requests to MakeShop go one at a time, and it is another one's turn",
    "MakeShopへのリクエストは1件ずつ送るため、順番を待っています",
    "Nothing to do; the call goes out when its turn comes.",
    "対応は不要です。順番が来たら送信します。",
)
UNREADABLE_ANSWER = Problem(
    "IS-MKS-005",
    "MakeShop's answer could not be understood",
    "MakeShopの応答を読み取れません",
    "Nothing to do; the answer is not used and the call repeated. If it lasts, look for a proxy that changes answers.",
    "対応は不要です。応答は使わずに再試行します。続く場合は途中の機器が応答を書き換えていないか確認してください。",
)
UNKNOWN_SHAPE = Problem(
    "IS-MKS-006",
    "MakeShop's answer has a form this version does not know",
    "応答の形式がこのバージョンの想定と異なります",
    "Report this code with the operation it names; the answer was not used.",
    "表示された操作名とともにこのコードを報告してください。応答は使用していません。",
)
REFUSED_CALL = Problem(
    "IS-MKS-007",
    "MakeShop refused our request as malformed",
    "リクエストの形式がMakeShopに拒否されました",
    "Report this code with the operation it names; nothing was changed.",
    "表示された操作名とともにこのコードを報告してください。変更は行われていません。",
)
CREDENTIAL_REFUSED = Problem(
    "IS-MKS-010",
    "MakeShop refused the access token or the API key",
    "アクセストークンまたはAPIキーがMakeShopに拒否されました",
    "Check that the app is still installed and the clock of this machine is right, then enter token and key anew. "
    "A token ends for ever when its app is uninstalled, even once: apply for access again then.",
    "アプリがインストールされたままか、このサーバーの時計が正しいかを確認し、トークンとキーを入力し直してください。"
    "アプリを一度でもアンインストールするとトークンは失効するため、利用申請からやり直してください。",
)
NOT_APPROVED = Problem(
    "IS-MKS-011",
    "MakeShop has not approved this operation for the connection",
    "この操作はMakeShopでまだ承認されていません",
    "Apply for the named operation in the shop's new admin under アプリ管理 / API利用設定 (main administrator only, "
    "about 5 business days), or, for a vendor's app, let the shop agree to the added API. It then goes on by itself.",
    "新管理画面の「アプリ管理 / API利用設定」で、表示された操作を含む情報種別の利用を申請してください"
    "(メイン管理者のみ、約5営業日)。アプリの場合はショップの再同意が必要です。承認後は自動で再開します。",
)
WRONG_ENDPOINT = Problem(
    "IS-MKS-012",
    "There is no GraphQL API at the address of this connection",
    "接続先のURLにGraphQL APIがありません",
    "Write base_url exactly as MakeShop's mail gives it, or leave it out for the usual address.",
    "MakeShopからのメールに記載されたURLをそのままbase_urlに設定するか、base_urlを削除してください。",
)
NOT_CALIBRATED = Problem(
    "IS-MKS-013",
    "It is not proven yet how MakeShop understands stock writes",
    "在庫更新の計算方法(quantityCalculationType)がまだ確認されていません",
    "Run `connection calibrate` with a hidden product that has some stock before you start a route.",
    "連携を開始する前に、在庫がある非公開の商品で`connection calibrate`を実行してください。",
)
ROW_REFUSED = Problem(
    "IS-MKS-020",
    "MakeShop refused the stock change of this product",
    "MakeShopがこの商品の在庫更新を拒否しました",
    "Look at the product in MakeShop, mend what its message names, then release it from quarantine.",
    "MakeShopで該当商品を確認し、表示された原因を解消してから保留を解除してください。",
)
CHANGE_IMPOSSIBLE = Problem(
    "IS-MKS-021",
    "A stock change cannot be expressed in MakeShop's terms",
    "在庫更新をMakeShopの形式で表せません",
    "Report this code with the item it names; nothing was sent.",
    "表示された商品とともにこのコードを報告してください。送信は行われていません。",
)
OUTCOME_UNKNOWN = Problem(
    "IS-MKS-030",
    "It is not known whether MakeShop carried out the stock change",
    "在庫更新が実行されたか確認できません",
    "Nothing to do; the stock and the orders are read before anything is repeated.",
    "対応は不要です。在庫と注文を確認してから処理を続けます。",
)
NO_HISTORY = Problem(
    "IS-MKS-031",
    "MakeShop keeps no stock history that could be read",
    "MakeShopには参照できる在庫履歴がありません",
    "Nothing to do; stock and orders serve as evidence instead.",
    "対応は不要です。代わりに在庫と注文で確認します。",
)
CALIBRATION_REFUSED = Problem(
    "IS-MKS-040",
    "This product cannot serve for a calibration",
    "この商品は計算方法の確認に使えません",
    "Name a product that is hidden in the shop (display: N), with limited stock between 1 and 1,000,000.",
    "ショップで非公開(display: N)で、在庫数が1から1,000,000の範囲で管理されている商品を指定してください。",
)
CALIBRATION_CUT = Problem(
    "IS-MKS-041",
    "The calibration ended halfway, and the product may show another number than before",
    "計算方法の確認が途中で終わりました。商品の在庫数が元と異なる可能性があります",
    "Look at the named product in MakeShop, set its stock back to the number given, and calibrate again.",
    "MakeShopで該当商品の在庫数を表示された数に戻してから、もう一度実行してください。",
)
CALIBRATION_NOT_NEEDED = Problem(
    "IS-MKS-042",
    "The classic API has nothing to calibrate",
    "従来APIでは計算方法の確認は不要です",
    "Nothing to do.",
    "対応は不要です。",
)
NO_WEBHOOK_SECRET = Problem(
    "IS-MKS-050",
    "No webhook secret is set, so no notice can prove where it comes from",
    "Webhookの秘密鍵が未設定のため、通知の送信元を確認できません",
    "Set webhook_secret to the secret key that MakeShop issued with the API key.",
    "MakeShopからAPIキーとともに発行された秘密鍵をwebhook_secretに設定してください。",
)
BAD_SIGNATURE = Problem(
    "IS-MKS-051",
    "A notice came without a signature or with a wrong one",
    "署名がない、または一致しない通知を受信しました",
    "Compare webhook_secret with MakeShop's secret key; if it is right, try the other values of signature_recipe.",
    "webhook_secretをMakeShopの秘密鍵と照合してください。一致している場合はsignature_recipeの別の値をお試しください。",
)
STALE_NOTICE = Problem(
    "IS-MKS-052",
    "A notice carries no time, or one too far from ours",
    "通知に時刻がないか、現在時刻との差が大きすぎます",
    "Check the clock of this machine; a notice that was delayed is made up for by polling.",
    "このサーバーの時計を確認してください。遅れた通知の内容は定期確認で取得します。",
)
FOREIGN_SHOP = Problem(
    "IS-MKS-053",
    "A notice belongs to another shop than this connection",
    "通知のショップIDがこの接続と一致しません",
    "Declare each shop's notices with the address of its own connection.",
    "ショップごとに、対応する接続のURLを通知先として登録してください。",
)
UNREADABLE_NOTICE = Problem(
    "IS-MKS-054",
    "A notice with a good signature cannot be read",
    "署名の正しい通知ですが、内容を読み取れません",
    "Report this code; polling finds the change in the meantime.",
    "このコードを報告してください。変更は定期確認で検出されます。",
)

PROBLEMS: Mapping[str, Problem] = {
    value.code: value for name, value in sorted(globals().items()) if isinstance(value, Problem)
}
