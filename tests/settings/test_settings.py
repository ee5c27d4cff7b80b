"""The environment: what is read, what is refused, and what the refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_sync.settings import SettingsError, load_settings, secret_keys

KEY = "k" * 43
OLD_KEY = "o" * 43
URL = "postgresql://app:hunter2secret@db/stock"


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert settings.database_url is None
    assert (settings.http_port, settings.admin_host, settings.admin_port) == (8080, "127.0.0.1", 8081)
    assert (settings.language, settings.lease_seconds) == ("ja", 15.0)
    assert settings.public_url is None
    assert settings.allow_insecure_upstreams is False


def test_values_are_read_and_an_empty_one_counts_as_not_set() -> None:
    settings = load_settings(
        {
            "INVENTORY_SYNC_HTTP_PORT": "9000",
            "INVENTORY_SYNC_LOG_LEVEL": "DEBUG",
            "INVENTORY_SYNC_PUBLIC_URL": "https://stock.example.com/",
            "INVENTORY_SYNC_ALLOW_INSECURE_UPSTREAMS": "true",
            "INVENTORY_SYNC_ADMIN_PORT": "",
        }
    )
    assert settings.http_port == 9000
    assert settings.admin_port == 8081
    assert settings.log_level == "debug"
    assert settings.public_url == "https://stock.example.com"
    assert settings.allow_insecure_upstreams is True


def test_every_variable_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(URL + "\n")
    (tmp_path / "keys").write_text(f"{KEY},{OLD_KEY}\n")
    settings = load_settings(
        {
            "INVENTORY_SYNC_DATABASE_URL_FILE": str(tmp_path / "url"),
            "INVENTORY_SYNC_SECRET_KEY_FILE": str(tmp_path / "keys"),
        }
    )
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL
    assert secret_keys(settings) == (KEY, OLD_KEY)


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("INVENTORY_SYNC_DATABSE_URL", "INVENTORY_SYNC_DATABASE_URL"),
        ("INVENTORY_SYNC_LOGLEVEL", "INVENTORY_SYNC_LOG_LEVEL"),
        ("INVENTORY_SYNC_SECRET_KEY_FIEL", "INVENTORY_SYNC_SECRET_KEY_FILE"),
        ("inventory_sync_http_port", "INVENTORY_SYNC_HTTP_PORT"),
        ("INVENTORY_SYNC_HTTPPORT", "INVENTORY_SYNC_HTTP_PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_known_one(variable: str, nearest: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable} is not a setting.*did you mean {nearest}\?$"):
        load_settings({variable: "x"})


def test_what_kubernetes_injects_for_a_service_is_no_setting() -> None:
    injected = (
        "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8080_TCP", "PORT_8080_TCP_PROTO",
        "PORT_8080_TCP_PORT", "PORT_8080_TCP_ADDR", "ADMIN_SERVICE_HOST", "ADMIN_SERVICE_PORT",
        "ADMIN_PORT_8081_TCP_ADDR", "WEB_PORT",
    )  # fmt: skip
    settings = load_settings({f"INVENTORY_SYNC_{name}": "tcp://10.0.0.1:8080" for name in injected})
    assert settings.http_port == 8080


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTP_PORT": "http"}, "INVENTORY_SYNC_HTTP_PORT: .*integer"),
        ({"HTTP_PORT": "70000"}, "INVENTORY_SYNC_HTTP_PORT: .*65535"),
        ({"LANGUAGE": "fr"}, "INVENTORY_SYNC_LANGUAGE: .*'ja' or 'en'"),
        ({"PUBLIC_URL": "stock.example.com"}, "INVENTORY_SYNC_PUBLIC_URL: must look like https://"),
        ({"DATABASE_URL": URL}, "INVENTORY_SYNC_SECRET_KEY is required with INVENTORY_SYNC_DATABASE_URL"),
        ({"DATABASE_URL": "mysql://x:hunter2secret@y", "SECRET_KEY": KEY}, "DATABASE_URL: must look like postgresql"),
        ({"DATABASE_LISTEN_URL": URL}, "means nothing without INVENTORY_SYNC_DATABASE_URL"),
        ({"SECRET_KEY": f"{KEY},hunter2secret"}, "INVENTORY_SYNC_SECRET_KEY: key 2 of 2 is shorter than 32"),
        ({"SECRET_KEY_FILE": "/no/such/file"}, "SECRET_KEY_FILE names /no/such/file, which cannot be read"),
        ({"ADMIN_TOKEN": "hunter2secret", "ADMIN_TOKEN_FILE": "/x"}, "are both set; keep one"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_shown(environ: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as caught:
        load_settings({f"INVENTORY_SYNC_{name}": value for name, value in environ.items()})
    assert "hunter2secret" not in str(caught.value)
    assert "hunter2secret" not in caught.value.japanese


@pytest.mark.parametrize(
    ("environ", "japanese"),
    [
        ({"HTTP_PORT": "http"}, "INVENTORY_SYNC_HTTP_PORT: ここには整数を書きます(半角数字だけ)。"),
        ({"HTTP_PORT": "70000"}, "INVENTORY_SYNC_HTTP_PORT: 65535 以下の数値を書いてください。"),
        ({"LANGUAGE": "fr"}, "INVENTORY_SYNC_LANGUAGE: 次のいずれかを書いてください: ja、en。"),
        ({"TIMEZONE": "Tokyo"}, "INVENTORY_SYNC_TIMEZONE: Asia/Tokyo のような名前を書いてください。"),
        (
            {"LOGLEVEL": "info", "SECRET_KEY_FILE": "/no/such/file"},
            "INVENTORY_SYNC_LOGLEVEL という設定はありません。INVENTORY_SYNC_LOG_LEVEL の間違いではありませんか。"
            "INVENTORY_SYNC_SECRET_KEY_FILE のファイル /no/such/file を読み取れません。パスと権限を確認してください。",
        ),
    ],
)
def test_what_is_wrong_is_told_in_japanese_too(environ: dict[str, str], japanese: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"INVENTORY_SYNC_{name}": value for name, value in environ.items()})
    assert caught.value.japanese == japanese


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SettingsError, match=r"HTTP_PORT.*; INVENTORY_SYNC_LANGUAGE"):
        load_settings({"INVENTORY_SYNC_HTTP_PORT": "x", "INVENTORY_SYNC_LANGUAGE": "y"})


def test_secrets_do_not_show_in_the_settings_text() -> None:
    environ = {"DATABASE_URL": URL, "SECRET_KEY": KEY, "ADMIN_TOKEN": "hunter2secret"}
    text = repr(load_settings({f"INVENTORY_SYNC_{name}": value for name, value in environ.items()}))
    assert "hunter2secret" not in text
    assert KEY not in text


def test_without_a_secret_key_one_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = load_settings({"INVENTORY_SYNC_DATA_DIR": str(tmp_path / "data")})
    (first,) = secret_keys(settings)
    assert secret_keys(settings) == (first,)
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_a_damaged_key_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("")
    with pytest.raises(SettingsError, match="damaged"):
        secret_keys(load_settings({"INVENTORY_SYNC_DATA_DIR": str(tmp_path)}))
    assert (tmp_path / "secret.key").read_text() == ""


def test_a_data_directory_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="DATA_DIR writable"):
        secret_keys(load_settings({"INVENTORY_SYNC_DATA_DIR": str(tmp_path / "file" / "data")}))
