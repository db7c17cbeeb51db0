import pytest
from pydantic import ValidationError

from remit.settings.model import Settings


def test_the_issuer_is_the_public_url_byte_for_byte() -> None:
    settings = Settings(host="0.0.0.0", port=1, public_url="https://remit.example")
    assert settings.issuer == "https://remit.example"


def test_an_ipv6_host_is_bracketed_in_the_issuer() -> None:
    assert Settings(host="::1", port=1).issuer == "http://[::1]:1"


def test_the_database_is_in_the_data_folder_unless_said_otherwise(tmp_path) -> None:
    settings = Settings(data=tmp_path)
    assert settings.effective_database_url == f"sqlite:///{tmp_path}/remit.sqlite3"
    assert not Settings(database_url="postgresql://db/remit").is_sqlite


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


def test_the_digest_sees_every_setting_but_no_password() -> None:
    first = Settings(database_url="postgresql://remit:one@db/remit")
    assert first.digest() == Settings(database_url="postgresql://remit:two@db/remit").digest()
    assert first.digest() != Settings(database_url="postgresql://remit:one@db/other").digest()
    assert first.digest() != first.model_copy(update={"port": 1}).digest()


def test_a_password_is_not_in_the_text_of_the_settings() -> None:
    assert "hunter2" not in repr(Settings(database_url="postgresql://remit:hunter2@db/remit"))


@pytest.mark.parametrize("name", ["", "Main", "a_b", "-a", "a-", "../a", "a" * 41])
def test_an_instance_name_is_a_safe_folder_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(instance=name)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, None),
        ("env:REMIT_DB", "env:REMIT_DB"),
        ("sqlite:////var/lib/remit.sqlite3", "sqlite:////var/lib/remit.sqlite3"),
        ("postgresql://remit:hunter2@db:5432/remit?password=hunter2", "postgresql://db/remit"),
    ],
)
def test_what_is_shown_makes_settings_again_and_opens_nothing(url, shown) -> None:
    settings = Settings(database_url=url, trusted_proxies="10.0.0.0/8")  # type: ignore[arg-type]
    assert settings.shown()["database_url"] == shown
    assert Settings.model_validate(settings.shown()).trusted_proxies == settings.trusted_proxies
