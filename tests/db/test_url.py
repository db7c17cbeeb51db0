"""Which databases are taken."""

import pytest

from remit.db.url import UnsupportedDatabaseError, parse_database_url


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:////var/lib/remit/remit.sqlite3", "sqlite+pysqlite"),
        ("sqlite:///relative.sqlite3", "sqlite+pysqlite"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
    ],
)
def test_sqlite_and_postgresql_get_their_driver(text, driver):
    assert parse_database_url(text).drivername == driver


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "postgresql+asyncpg://h/d"],
)
def test_everything_else_is_refused(text):
    with pytest.raises(UnsupportedDatabaseError):
        parse_database_url(text)


def test_a_password_is_never_shown():
    with pytest.raises(UnsupportedDatabaseError) as raised:
        parse_database_url("oracle://u:hunter2@h/d")
    assert "hunter2" not in f"{raised.value!r}{raised.value.__cause__!r}"
