"""Which partner addresses may be called: over TLS and on the public network, unless the operator allows others."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from inventory_sync.systems.errors import InvalidSettings
from inventory_sync.systems.port import SettingsModel

_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain")


def check_upstreams(settings: SettingsModel, *, allow_insecure: bool) -> None:
    """Refuse plain-http and private addresses among a connection's settings (every setting that ends in `_url`).

    Raises InvalidSettings naming the setting. Credentials would otherwise cross a network in clear, or a configuration
    file could make this server call machines of its own network.
    """
    if allow_insecure:
        return
    for name, value in settings.model_dump(mode="python").items():
        if name.endswith("_url") and isinstance(value, str):
            reason = _objection(value)
            if reason is not None:
                english, japanese = reason
                raise InvalidSettings(
                    f"this address {english}.",
                    field=name,
                    remedy="Leave it out to call the partner itself. For a sandbox on your own machine start with "
                    "INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS=true.",
                    code="IS-CON-006",
                    message_ja=f"このアドレスは{japanese}。",
                    remedy_ja="この行を削除すると取引先に直接接続します。手元のマシンのサンドボックスを使う場合は、"
                    "INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS=true を設定して起動してください。",
                )


def _objection(url: str) -> tuple[str, str] | None:
    """Why an address must not be called, in English and Japanese, or None.

    >>> _objection("https://api.example.com"), _objection("http://api.example.com")
    (None, ('is not encrypted (http)', '暗号化されていません(http)'))
    >>> _objection("https://10.1.2.3:8443/")
    ('is on a private network', 'プライベートネットワークにあります')
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https":
        return (
            f"is not encrypted ({parts.scheme or 'no scheme'})",
            f"暗号化されていません({parts.scheme or 'https:// なし'})",
        )
    try:
        private = not ip_address(host).is_global
    except ValueError:
        private = "." not in host or host.rpartition(".")[2] in _LOCAL_NAMES
    return ("is on a private network", "プライベートネットワークにあります") if private else None
