"""Migrations: what they build is what the stores declare, from empty and from populated databases."""

import importlib
import os
import pkgutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

import remit
from remit.db import MigrationError, metadata, migrate
from remit.db.migrate import HEAD, LOCK, MIGRATIONS
from remit.db.url import parse_database_url

TABLES = {
    "access", "access_tokens", "activations", "agent_standing", "approval_answers", "approval_openings",
    "approvals", "authorization_codes", "authorization_requests", "bundles", "clients",
    "audit_checkpoints", "audit_hashes", "audit_logs", "audit_records", "connection_requests", "connections", "consents", "definitions", "deputies", "elevations",
    "external_identities", "grants", "guards", "history_uses", "holds", "initial_access_tokens", "notifications",
    "one_time_passwords", "passkeys", "proposal_approvals", "proposals",
    "provider_logins", "recovery_codes", "refresh_tokens", "revoked_tokens", "seal_keys", "sealed_secrets", "seen_assertions",
    "sessions", "sign_ins", "signing_keys", "sink_cursors", "spent_challenges", "stored_secrets", "throttle",
    "trail_blocks", "trail_epochs", "trail_logs", "trail_spans", "trail_tenants", "trail_terms", "trial_counts",
    "trials", "users",
}  # fmt: skip


def _engine(url: str):
    return create_engine(parse_database_url(url))


def _import_every_store() -> None:
    """Every module that declares a table: stores, and what else stands next to SQL."""
    for module in pkgutil.walk_packages(remit.__path__, "remit."):
        if module.name.endswith(("store", "throttle", "keys")):
            importlib.import_module(module.name)


def test_every_store_declares_what_the_migrations_build(bare_database_url):
    _import_every_store()
    migrate(bare_database_url)
    engine = _engine(bare_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, metadata)
        primary_keys = {
            name: inspect(connection).get_pk_constraint(name)["constrained_columns"]
            for name in metadata.tables
        }
    engine.dispose()
    assert differences == []
    assert primary_keys == {
        name: [column.name for column in table.primary_key]
        for name, table in metadata.tables.items()
    }
    assert set(metadata.tables) == TABLES


def test_migrating_again_changes_nothing(bare_database_url):
    migrate(bare_database_url)
    engine = _engine(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO throttle VALUES ('t',1,1)"))
    for _ in range(3):
        migrate(bare_database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM throttle")).scalar() == 1
    engine.dispose()


def test_an_up_to_date_database_is_recognised_without_the_migration_tool(tmp_path):
    url = f"sqlite:///{tmp_path / 'remit.sqlite3'}"
    migrate(url)
    program = (
        f"import sys; from remit.db import migrate; migrate({url!r});"
        " assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_several_processes_may_migrate_at_once(bare_database_url):
    program = f"from remit.db import migrate; migrate({bare_database_url!r})"

    def start(_: int) -> int:
        return subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(start, range(3))) == [0, 0, 0]
    engine = _engine(bare_database_url)
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    engine.dispose()
    assert versions == [(HEAD,)]


def test_on_postgresql_a_migration_waits_for_the_one_that_runs(postgres):
    url = postgres.create(f"waiting_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
    engine = _engine(url)
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as threads, engine.connect() as first:
        first.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        second = threads.submit(migrate, url)
        deadline = time.monotonic() + 30
        while not first.execute(waiting).scalar():
            assert not second.done()
            assert time.monotonic() < deadline
        assert not inspect(first).has_table("users")
        first.rollback()
        second.result(30)
        assert inspect(first).has_table("users")
    engine.dispose()


def test_the_version_we_compare_with_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_go_forward_only():
    for path in (MIGRATIONS / "versions").glob("*.py"):
        assert "def downgrade" not in path.read_text()


def test_a_database_of_a_newer_remit_is_refused_and_left_alone(bare_database_url):
    migrate(bare_database_url)
    engine = _engine(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MigrationError, match="does not know the schema"):
        migrate(bare_database_url)
    with engine.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        )
    engine.dispose()


def test_what_was_there_survives_every_migration(bare_database_url):
    """Each migration finds the rows of those before it: `_POPULATED`, by the version that they fit."""
    engine = _engine(bare_database_url)
    for version, statements in _POPULATED.items():
        _upgrade_to(engine, version)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    migrate(bare_database_url)
    with engine.connect() as connection:
        counts = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()
            for name in sorted(TABLES)
        }
    engine.dispose()
    assert counts == dict.fromkeys(sorted(TABLES), 1)


def _upgrade_to(engine, version):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def test_a_database_that_cannot_be_reached_says_so_without_its_password(tmp_path):
    with pytest.raises(MigrationError, match="cannot be reached") as raised:
        migrate(f"postgresql://remit:hunter2@/remit?host={tmp_path}")
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "remit.sqlite3"
    path.write_bytes(b"\xa5" * 8_192)
    with pytest.raises(MigrationError, match="damaged"):
        migrate(f"sqlite:///{path}")
    assert path.read_bytes() == b"\xa5" * 8_192


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(MigrationError, match="cannot be opened or made"):
        migrate(f"sqlite:///{tmp_path / 'nowhere' / 'remit.sqlite3'}")


_FIRST = (
    "INSERT INTO users VALUES ('usr_1','acme','ada','Ada','$argon2id$','[]','{}',1,NULL,0,NULL)",
    "INSERT INTO sessions VALUES ('ses_1','d1','usr_1',1,'a','[]',1,1,2,NULL)",
    "INSERT INTO agent_standing VALUES ('agent',1,'why','root')",
    "INSERT INTO clients VALUES ('c','dynamic','agent','C','{}',NULL,'f',1,NULL,NULL,NULL)",
    "INSERT INTO authorization_requests VALUES ('d2','b','{}',1,2,NULL)",
    "INSERT INTO consents VALUES ('usr_1','c','r','[]','f',1)",
    (
        "INSERT INTO grants VALUES ('g','user','usr_1','c','agent','acme','prod','r','[]','',"
        "1,'a','[]',1,1,2,NULL,NULL)"
    ),
    "INSERT INTO authorization_codes VALUES ('d3','g','c','u','cc',2,NULL)",
    "INSERT INTO refresh_tokens VALUES ('d4','g',1,2,NULL)",
    "INSERT INTO revoked_tokens VALUES ('j',2)",
    "INSERT INTO sealed_secrets VALUES ('n','v1.x',1)",
    "INSERT INTO signing_keys VALUES ('k','ES256','{}','v1.x',1,NULL)",
    "INSERT INTO throttle VALUES ('t',1,1)",
)
_THIRD = (
    "INSERT INTO seen_assertions VALUES ('a',2)",
    "INSERT INTO initial_access_tokens VALUES ('i','d5','o',NULL,'','root',1,2,1,NULL)",
    "INSERT INTO connections VALUES ('usr_1','crm','https://i','[]','v1.x',1,1,NULL)",
    "INSERT INTO connection_requests VALUES ('d6','b','usr_1','c','crm','https://i','v1.x',1,2,NULL)",
    "INSERT INTO passkeys VALUES ('p','usr_1','k',0,'n','[]',0,1,NULL)",
    "INSERT INTO one_time_passwords VALUES ('usr_1','v1.x',1,7)",
    "INSERT INTO recovery_codes VALUES ('d7','usr_1',1,NULL)",
    "INSERT INTO sign_ins VALUES ('d8','b','log_in','usr_1','[]','/',1,2,0,NULL)",
    "INSERT INTO spent_challenges VALUES ('d10',2)",
    "INSERT INTO external_identities VALUES ('https://i','s','p','usr_1','[]','{}',1,NULL)",
    "INSERT INTO provider_logins VALUES ('d9','b','p','https://i','n','v1.x','/',NULL,NULL,1,2,NULL)",
)
_FOURTH = (
    "INSERT INTO definitions VALUES ('crm','tool','t','admitted',NULL,'','own','{}','d',NULL,NULL,1,1,NULL,NULL)",
    "INSERT INTO stored_secrets VALUES ('s','v1.x',1,1,NULL)",
    "INSERT INTO guards VALUES ('crm','g','0.1.0',1,2,0)",
)
_FIFTH = (
    "INSERT INTO bundles VALUES ('d','{}',1,1,'[]','{}','s',1,NULL)",
    "INSERT INTO proposals VALUES ('p','d','b',0,'apply','','','waits','[]',0,'{}','r',1,'root','[]',NULL,NULL,'','s')",
    "INSERT INTO proposal_approvals VALUES ('p','ada','[]','r','',1)",
    "INSERT INTO activations VALUES (1,'d','b','apply','','p','',1,'root','s')",
    "INSERT INTO trials VALUES ('t','d','b',0,10,5,'runs','','p',1,2,NULL,'s')",
    "INSERT INTO trial_counts VALUES ('t','main','trial','{}',1)",
)
_SIXTH = ("INSERT INTO history_uses VALUES ('acme','f count','agent','usr_1','',1,'dec_1','',0,1)",)
_EIGHTH = (
    (
        "INSERT INTO approvals VALUES ('apr','waiting','k','acme','usr_1','agent','c','g','crm','tool','t',NULL,'prod',"
        "'[]','[]',NULL,'v1.x','dec_1','v',1,1,NULL,NULL,2,300,NULL,NULL,NULL)"
    ),
    "INSERT INTO approval_answers VALUES ('apr','usr_1','confirmed','person','a',1,'s',1,1,'','[0]','[]',NULL)",
    "INSERT INTO approval_openings VALUES ('apr','usr_1','s',1)",
    "INSERT INTO elevations VALUES ('elv','apr','g','k','{}',1,1,2,NULL,NULL,NULL)",
    "INSERT INTO deputies VALUES ('acme','usr_1','usr_2','manager',1,2)",
    (
        "INSERT INTO access VALUES ('acc','o','offer','active','acme','user','usr_1',NULL,'r','[]','{}','',NULL,60,NULL,"
        "1,NULL,'[]',1,61,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)"
    ),
    "INSERT INTO access_tokens VALUES ('acc','j','g',2)",
    "INSERT INTO notifications VALUES ('ntf','apr','e','n','acme','{}',0,1,1,2,NULL,NULL)",
)
_NINTH = (
    "INSERT INTO audit_logs VALUES ('remit/main',1,'h',2,1,0,'k',0)",
    "INSERT INTO audit_records VALUES ('remit/main',0,'{}')",
    "INSERT INTO audit_hashes VALUES ('remit/main',0,'h')",
    "INSERT INTO audit_checkpoints VALUES ('remit/main',1,'n','o','',NULL)",
)
_TENTH = (
    (
        "INSERT INTO seal_keys (id,process,tenant,subject,month,ciphertext,made_at)"
        " VALUES ('aa','main/1','acme','s','2026-11','v1.x',1)"
    ),
    (
        "INSERT INTO holds (id,tenant,reason,requested_by,requested_as,requested_at)"
        " VALUES ('hld_1','acme','r','uid:1','[]',1)"
    ),
)
_ELEVENTH = (
    (
        "INSERT INTO sink_cursors (sink, log, position, holder, held_until, moved_at)"
        " VALUES ('siem', 'remit/main', 12, 'main', 1, 1)"
    ),
)
_TWELFTH = (
    "INSERT INTO trail_logs VALUES ('remit/main',1,2,1048577,60000)",
    "INSERT INTO trail_blocks VALUES (1048577,1,0,2,1)",
    "INSERT INTO trail_spans VALUES (1,1,1048577,1048577)",
    "INSERT INTO trail_terms (tenant,span,term,block,offsets) VALUES ('acme',1,-7,1048577,'aa')",
    "INSERT INTO trail_tenants VALUES ('acme')",
    "INSERT INTO trail_epochs VALUES ('trl_1')",
)

_POPULATED = {
    "0001": _FIRST, "0002": (), "0003": _THIRD, "0004": _FOURTH, "0005": _FIFTH, "0006": _SIXTH, "0007": (),
    "0008": _EIGHTH, "0009": _NINTH, "0010": _TENTH, "0011": _ELEVENTH, "0012": _TWELFTH,
}  # fmt: skip
