"""The rounds that one of several processes makes for all."""

from base64 import b64encode
from contextlib import ExitStack, closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.app.audit_store import LogPlace, log_place, open_log
from remit.app.data_folder import DataFolder
from remit.app.joined_log import open_joined_log
from remit.audit.database_source import DatabaseSource
from remit.audit.events import CallCompleted, Decided
from remit.audit.signing import LocalSigner
from remit.db import Database
from remit.secrets import MasterKey
from remit.settings import Settings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ALLOWED = Decided(
    decision_id="dec_1", server="crm", method="tools/call", name="accounts.get", outcome="allow",
    reason="allowed",
)  # fmt: skip


@pytest.fixture
def server_url(request, postgres):
    name = request.getfixturevalue("_migrated_postgres")
    postgres.empty(name)
    return postgres.url(name)


class Process:
    """What of a process makes rounds."""

    def __init__(self, name, folder, url, clock):
        folder.mkdir(mode=0o700)
        settings = Settings(instance=name)
        master = MasterKey.load(folder, {"REMIT_MASTER_KEY": b64encode(bytes(range(32))).decode()})
        self.stack = ExitStack()
        place = log_place(settings, DataFolder(folder), url)
        signer = LocalSigner(place.name, KEY)
        self.log = self.stack.enter_context(open_log(settings, place, signer))
        self.database = self.stack.enter_context(closing(Database.open(url, recorder=self.log)))
        self.joined = self.stack.enter_context(
            open_joined_log(
                settings, place, master, database=self.database, recorder=self.log, clock=clock
            )
        )


@pytest.fixture
def processes(server_url, tmp_path, clock):
    with ExitStack() as stack:

        def start(name):
            process = Process(name, tmp_path / name, server_url, clock)
            stack.callback(process.stack.close)
            return process

        yield start


def makes_rounds(process):
    """Whether it does; what a busy machine makes fail is tried again, as the task would."""
    return any(process.joined.round() for _ in range(3))


def test_one_of_several_joins_the_logs_of_all(processes):
    first, second = processes("a"), processes("b")
    assert makes_rounds(first)
    assert not makes_rounds(second)
    (record,) = DatabaseSource(first.database).read("remit/joined", 0, limit=9)
    assert [one["log"] for one in record.entry()["body"]["logs"]] == ["remit/a", "remit/b"]


def test_another_goes_on_with_the_same_key_when_that_one_is_gone(processes):
    first, second = processes("a"), processes("b")
    assert makes_rounds(first)
    first.stack.close()
    assert makes_rounds(second)
    source = DatabaseSource(second.database)
    assert source.bounds("remit/joined") == (0, 2)
    assert source.checkpoint("remit/joined").startswith("remit/joined\n2\n")


def test_it_tells_what_another_left_behind(processes):
    first, second = processes("a"), processes("b")
    first.log.record([ALLOWED])
    first.log.checkpoint()
    dead = text("UPDATE audit_logs SET held_until = 5 WHERE name = 'remit/a'")
    assert makes_rounds(second)
    first.log._stream.confirm = lambda: None  # it renews nothing any more
    second.database.run_now(lambda tx: tx.connection.execute(dead))
    for _ in range(2):
        assert makes_rounds(second)
    told = [
        one.entry()["body"]
        for one in DatabaseSource(second.database).read("remit/b", 0, limit=99)
        if one.entry()["kind"] == CallCompleted.kind
    ]
    assert [(one["decision_id"], one["outcome"]) for one in told] == [("dec_1", "unknown")]


def test_a_joined_log_that_is_not_what_was_written_stops_no_process(processes):
    process = processes("a")
    assert makes_rounds(process)
    harm = text("UPDATE audit_records SET line = line || line WHERE log = 'remit/joined'")
    process.database.run_now(lambda tx: tx.connection.execute(harm))
    process.joined._joiner.close()
    assert not process.joined.round()


def test_a_database_that_does_not_answer_stops_no_process(processes):
    process = processes("a")
    process.database.close()
    assert not process.joined.round()


def test_where_logs_are_files_there_is_nobody_to_make_rounds_for(database, events, clock, tmp_path):
    place = LogPlace(name="remit/main", folder=tmp_path, url="", in_database=False, holder="h")
    master = MasterKey.load(tmp_path, {})
    with open_joined_log(
        Settings(), place, master, database=database, recorder=events, clock=clock
    ) as joined:
        assert not joined.round()
