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
                raise InvalidSettings(
                    f"this address {reason}.",
                    field=name,
                    remedy="Leave it out to call the partner itself. For a sandbox on your own machine start with "
                    "INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS=true.",
                    code="IS-CON-006",
                )


def _objection(url: str) -> str | None:
    """Why an address must not be called, or None.

    >>> _objection("https://api.example.com"), _objection("http://api.example.com")
    (None, 'is not encrypted (http)')
    >>> _objection("https://10.1.2.3:8443/")
    'is on a private network'
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https":
        return f"is not encrypted ({parts.scheme or 'no scheme'})"
    try:
        private = not ip_address(host).is_global
    except ValueError:
        private = "." not in host or host.rpartition(".")[2] in _LOCAL_NAMES
    return "is on a private network" if private else None
