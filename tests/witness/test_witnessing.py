import shutil
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings, VerifierKey, verify_log
from remit.audit.events import AuditStopped
from remit.audit.file_source import FileSource
from remit.audit.tiled_logs import TiledLogs
from remit.model import AuditRules, Witness
from remit.testing.audit import InMemoryAuditLog
from remit.witness.asking import WitnessSilentError
from remit.witness.desk import WitnessDesk
from remit.witness.identity import open_identity
from remit.witness.kept_notes import KeptNotes
from remit.witness.ledger import WitnessLedger
from remit.witness.witnessing import Witnessing, WitnessingDeps
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.policy import parse_policy
from tests.witness.conftest import NAME

LOG = "remit/main"


class Surroundings:
    """A real log, a real witness behind a wire that can be cut, and what is told of both."""

    def __init__(self, folder, clock, desk) -> None:
        self.desk = desk
        self.gone = False
        self.audit = InMemoryAuditLog()
        self.folder = folder
        source = FileSource(folder)
        one = Witness(name="one", url="http://one", key=str(desk.keys[0]))
        self.rules = AuditRules(witnesses=(one,))
        self.witnessing = Witnessing(
            WitnessingDeps(
                source=source,
                tiled=TiledLogs(source, lambda log: folder),
                logs=lambda: [LOG],
                rules=lambda: self.rules,
                keep=KeptNotes(lambda log: folder, None, clock.monotonic).keep,
                post=lambda url: self.post,
                audit=self.audit,
                clock=clock,
            )
        )

    async def post(self, body: bytes) -> tuple[int, str]:
        if self.gone:
            raise WitnessSilentError("it does not answer")
        reply = self.desk.add_checkpoint(body)
        return reply.status, reply.body

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.audit.events]

    def verified(self):
        policy = parse_policy(f"witness one {self.desk.keys[0]}\nquorum one\n")
        return verify_log(self.folder, evidence=Evidence(policy=policy))


@pytest.fixture
def around(tmp_path, clock):
    key = Ed25519PrivateKey.generate()
    settings = StreamSettings(folder=tmp_path / "main", origin=LOG)
    with closing(FileAuditLog(settings, key)) as log, WitnessLedger(tmp_path / "w") as ledger:
        signers = open_identity(tmp_path / "w", NAME)
        known = [VerifierKey.of(LOG, key)]
        desk = WitnessDesk(NAME, signers, ledger, logs=known, clock=clock)
        made = Surroundings(settings.folder, clock, desk)
        made.log = log
        yield made


async def test_what_the_log_has_come_to_is_witnessed_and_verifies(around):
    for _ in range(3):
        around.log.record([AuditStopped()] * 300)
        around.log.checkpoint()
        await around.witnessing.look()
    report = around.verified()
    assert report.exit_code == 0
    assert report.streams[0].witnessed == around.log.status().size


async def test_a_log_without_its_witness_is_not_enough_for_who_demands_one(around):
    assert around.verified().exit_code == 2


async def test_a_witness_that_is_gone_is_an_event_once_and_so_is_that_it_is_back(around, clock):
    around.gone = True
    for _ in range(12):
        await around.witnessing.look()
        clock.advance(10)
    assert around.kinds == ["witness.lost"]
    assert around.witnessing.lost() == 1
    around.gone = False
    clock.advance(120)
    await around.witnessing.look()
    assert around.kinds == ["witness.lost", "witness.recovered"]
    assert around.witnessing.lost() == 0


async def test_a_witness_that_fails_once_is_no_event(around, clock):
    around.gone = True
    await around.witnessing.look()
    around.gone = False
    clock.advance(10)
    await around.witnessing.look()
    assert around.kinds == []


async def test_a_log_that_was_set_back_is_an_event_at_once(around, clock, tmp_path):
    shutil.copytree(around.folder, tmp_path / "old")
    around.log.record([AuditStopped()] * 10)
    around.log.checkpoint()
    await around.witnessing.look()
    restored = Surroundings(tmp_path / "old", clock, around.desk)
    await restored.witnessing.look()
    (told,) = restored.audit.events
    assert told.kind == "witness.lost"
    assert "saw 11 records" in told.error


async def test_a_log_that_does_not_grow_is_witnessed_anew_after_a_while(around, clock):
    await around.witnessing.look()
    first = around.verified().streams[0].witnessed_at
    await around.witnessing.look()
    assert around.verified().streams[0].witnessed_at == first
    clock.advance(301)
    await around.witnessing.look()
    assert around.verified().streams[0].witnessed_at == first + 301


async def test_without_witnesses_nobody_is_asked(around):
    around.rules = AuditRules()
    await around.witnessing.look()
    assert not (around.folder / "witnessed").exists()
    assert around.witnessing.states() == {}
