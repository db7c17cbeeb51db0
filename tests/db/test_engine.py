"""What holds on every connection."""

import os

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from remit.db import migrate
from remit.db.engine import create_private_file, postgresql_engine, sqlite_engine
from remit.db.url import parse_database_url


def test_a_file_is_created_for_its_owner_alone_whatever_the_mask_says(tmp_path):
    before = os.umask(0)
    try:
        create_private_file(str(tmp_path / "new"))
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_keeps_its_content(tmp_path):
    (tmp_path / "old").write_text("content")
    create_private_file(str(tmp_path / "old"))
    assert (tmp_path / "old").read_text() == "content"


@pytest.mark.parametrize("mode", [0o644, 0o666, 0o640])
def test_a_file_that_others_may_read_is_closed_to_them(tmp_path, mode):
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(mode)
    create_private_file(str(tmp_path / "old"))
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600


def test_two_writers_on_sqlite_wait_for_one_another_from_the_start(tmp_path):
    """A deferred transaction would read first and fail when it comes to write."""
    url = f"sqlite:///{tmp_path / 'remit.sqlite3'}"
    migrate(url)
    first = sqlite_engine(parse_database_url(url), connections=1, writes=True)
    second = sqlite_engine(parse_database_url(url), connections=1, writes=True)
    with first.begin():
        impatient = second.raw_connection()
        impatient.driver_connection.execute("PRAGMA busy_timeout=1")
        impatient.close()
        with pytest.raises(OperationalError, match="locked"), second.begin():
            pass
    with second.begin():
        pass
    first.dispose()
    second.dispose()


@pytest.mark.parametrize("default", ["repeatable read", "serializable"])
def test_what_is_read_after_a_lock_is_what_its_last_holder_wrote(postgres, default):
    url = parse_database_url(postgres.url("postgres"))
    option = "-c default_transaction_isolation=" + default.replace(" ", "\\ ")
    engine = postgresql_engine(url.update_query_dict({"options": option}), connections=1)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW default_transaction_isolation").scalar() == default
        # A snapshot that is older than the lock would let two calls together go beyond a limit.
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    engine.dispose()


def test_a_postgresql_statement_cannot_run_or_wait_for_ever(postgres):
    engine = postgresql_engine(parse_database_url(postgres.url("postgres")), connections=1)
    with engine.connect() as connection:
        limits = [
            connection.execute(text(f"SHOW {name}")).scalar()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
    engine.dispose()
    assert limits == ["30s", "10s", "1min"]
