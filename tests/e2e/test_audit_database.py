"""The log in PostgreSQL, under real gateways that are killed and cut off: what was answered is there, and what was left is told."""

import asyncio
import os
import random
import secrets
import shutil
import signal
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pytest

from remit.audit import verify_log
from remit.audit.database_source import DatabaseSource
from remit.audit.dump import dump_logs
from remit.db import Database
from tests.app.conftest import Remit
from tests.e2e.durability import Account, House, free_port, house_in, kill_under_load, until

pytestmark = [pytest.mark.e2e]


@pytest.fixture
def server_url(postgres):
    name = f"audit_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{secrets.token_hex(4)}"
    return postgres.create(name)


@pytest.fixture
def environment(server_url):
    return {
        "REMIT_DATABASE_URL": server_url,
        "REMIT_MASTER_KEY": b64encode(secrets.token_bytes(32)).decode(),
    }


def sql(server_url: str, statement: str) -> list[tuple]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def account(house: House, server_url: str) -> Account:
    """What the log in the database says, by way of the files that it is verified from."""
    with closing(Database.open(server_url)) as database:
        dump_logs(database, house.data / "audit")
    return Account.of(house)


def entries(server_url: str, log: str) -> list[dict]:
    with closing(Database.open(server_url)) as database:
        return [one.entry() for one in DatabaseSource(database).read(log, 0, limit=10**6)]


async def test_a_gateway_that_is_killed_under_load_loses_nothing_that_it_answered(
    tmp_path, environment, server_url
):
    async with house_in(tmp_path, environment=environment) as house:
        await kill_under_load(house, kills=2, chance=random.Random(3))
        await house.stop()
        found = account(house, server_url)
        found.check(house)
        assert len(house.told.allowed) > 2


async def test_a_connection_that_is_cut_under_load_loses_nothing_and_doubles_nothing(
    tmp_path, environment, server_url
):
    async with house_in(tmp_path, environment=environment) as house:
        stop = asyncio.Event()
        load = asyncio.create_task(house.hurry("cut", callers=8, until=stop))
        for _ in range(2):
            before = len(house.told.allowed)
            await until(lambda before=before: len(house.told.allowed) > before + 5)
            sql(
                server_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
        before = len(house.told.allowed)
        await until(lambda: len(house.told.allowed) > before + 5)
        stop.set()
        await load
        await house.stop()
        account(house, server_url).check(house)


async def test_without_its_database_no_call_gets_through_and_with_it_they_do_again(
    tmp_path, environment, server_url, postgres
):
    name = urlsplit(server_url).path.removeprefix("/")
    async with house_in(tmp_path, environment=environment) as house:
        assert (await house.call("before")).status_code == 200
        sql(postgres.url("postgres"), f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        sql(
            postgres.url("postgres"),
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        for number in range(3):
            assert (await house.call(f"refused-{number}")).status_code == 503
        assert house.executed() == ["before"]
        sql(postgres.url("postgres"), f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

        async def called() -> bool:
            return (await house.call(f"after-{secrets.token_hex(4)}")).status_code == 200

        for _ in range(200):
            if await called():
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("it does not recover")
        await house.stop()
        account(house, server_url).check(house)
        assert "audit.recovered" in {one["kind"] for one in entries(server_url, "remit/main")}


async def test_what_a_gateway_left_that_never_comes_back_another_tells(
    tmp_path, environment, server_url, tmp_path_factory
):
    async with house_in(tmp_path, environment=environment) as house:
        second = Remit(tmp_path, tmp_path_factory.getbasetemp() / "pycache")
        flags = ("--instance", "second", "--public-url", house.url)
        with second.serving(*flags, data=tmp_path / "second", environ=environment) as other:
            stop = asyncio.Event()
            load = asyncio.create_task(house.hurry("left", callers=16, until=stop))
            await until(lambda: len(house.told.allowed) > 20)
            await house.kill()
            stop.set()
            await load
            begun, ended = calls(server_url, "remit/main")
            left = begun - ended
            # Nobody waits ten seconds for a lease here.
            sql(server_url, "UPDATE audit_logs SET held_until = 5 WHERE name <> 'remit/second'")
            await until(
                lambda: sql(
                    server_url,
                    "SELECT settled = size FROM audit_logs WHERE name = 'remit/main'",
                )[0][0]
            )
            assert other.stop() == 0
        told = {
            one["body"]["decision_id"]: one["body"]
            for one in entries(server_url, "remit/second")
            if one["kind"] == "call.completed"
        }
        assert set(told) == left
        assert {one["outcome"] for one in told.values()} <= {"unknown"}
        joined = entries(server_url, "remit/joined")
        assert {one["log"] for entry in joined for one in entry["body"]["logs"]} == {
            "remit/main",
            "remit/second",
        }
        with closing(Database.open(server_url)) as database:
            dump_logs(database, tmp_path / "copy")
        report = verify_log(tmp_path / "copy")
        assert report.exit_code == 0
        assert not any("no outcome" in note for one in report.streams for note in one.notes)


def calls(server_url: str, log: str) -> tuple[set[str], set[str]]:
    """The calls that a log has the beginning and the end of."""
    begun, ended = set(), set()
    for entry in entries(server_url, log):
        body = entry["body"]
        if entry["kind"] == "decision" and body["outcome"] == "allow":
            if body["reason"] != "listed":
                begun.add(body["decision_id"])
        elif entry["kind"] == "call.completed":
            ended.add(body["decision_id"])
    return begun, ended


async def test_a_gateway_that_was_taken_for_dead_and_comes_back_lets_nothing_through(
    tmp_path, environment, server_url
):
    async with house_in(tmp_path, environment=environment) as house:
        assert (await house.call("before")).status_code == 200
        assert house.process is not None
        os.kill(house.process.pid, signal.SIGSTOP)
        try:
            paused = asyncio.create_task(house.call("paused"))
            # Nobody waits ten seconds for a lease here.
            sql(server_url, "UPDATE audit_logs SET held_until = 5")
            options = ("--public-url", house.url)
            second = replace(
                house, port=free_port(), data=tmp_path / "second", options=options, process=None
            )
            await second.start()
        finally:
            os.kill(house.process.pid, signal.SIGCONT)
        assert (await paused).status_code == 503
        assert (await house.call("after")).status_code == 503
        assert (await house.readiness())["checks"]["audit"] == "failed"
        assert house.executed() == ["before"]
        await house.kill()
        await second.stop()
        account(house, server_url).check(house)


async def test_from_files_a_gateway_goes_into_the_database_under_another_name(
    tmp_path, environment, server_url
):
    """As docs/guides/operations.md says."""
    files = {**environment, "REMIT_AUDIT_STORE": "files"}
    async with house_in(tmp_path, environment=files) as house:
        assert (await house.call("before")).status_code == 200
        await house.stop()
        house.process, house.environment["REMIT_AUDIT_STORE"] = None, "database"
        with pytest.raises(AssertionError, match="another instance"):
            await house.start()
        house.process, house.options = None, ("--instance", "one")
        await house.start()
        assert (await house.call("after")).status_code == 200
        told = await house.remit("audit", "search", "kind=call.completed", "--json")
        assert "remit/main" in told
        assert "remit/one" in told
        await house.stop()
    with closing(Database.open(server_url)) as database:
        dump_logs(database, tmp_path / "copy")
    shutil.copytree(house.data / "audit" / "main", tmp_path / "copy" / "main")
    report = verify_log(tmp_path / "copy")
    assert report.exit_code == 0
    assert {one.origin for one in report.streams} == {"remit/main", "remit/one", "remit/joined"}
