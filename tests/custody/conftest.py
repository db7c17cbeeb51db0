"""A custody over a real database: what seals, what keeps the keys, and a log in memory that is read like any other."""

from dataclasses import dataclass, field

import orjson
import pytest

from remit.audit.record_seal import RecordSeal
from remit.audit.redact import Redactor
from remit.audit.source import Record
from remit.audit.subject_keys import SubjectKeys
from remit.clock import EpochSeconds, rfc3339_ms
from remit.custody import Custody, KeyKeeper, Word, subject_digest
from remit.db import Database
from remit.secrets import MasterKey, SecretBox
from remit.testing.clock import FixedClock

SECRET = b"s" * 32
BOX = SecretBox(MasterKey(bytes(range(32))))
LOG = "remit/main"


@dataclass
class Records:
    """A log of sealed decisions; of `RecordSource`, what is asked here."""

    lines: list[bytes] = field(default_factory=list)

    def add(self, sealed, *, tenant="acme", user="usr_1", agent="agt", at=0):
        entry = {
            "agent": agent, "body": {"sealed_arguments": sealed}, "observed": rfc3339_ms(at * 1_000), "tenant": tenant,
            "user": user,
        }  # fmt: skip
        self.lines.append(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))

    def logs(self):
        return (LOG,)

    def bounds(self, log):
        return 0, len(self.lines)

    def read(self, log, start, *, limit):
        for number in range(start, min(start + limit, len(self.lines))):
            yield Record(log, number, self.lines[number])

    def checkpoint(self, log):
        return None


@dataclass
class World:
    """One process, or several one after the other, on one database."""

    database: Database
    clock: FixedClock = field(default_factory=FixedClock)
    records: Records = field(default_factory=Records)

    def __post_init__(self):
        self.start()

    def start(self):
        """Another process of the same instance."""
        self.keys = SubjectKeys(self.clock)
        self.seal = RecordSeal(SECRET, writers=self.keys)
        self.redactor = Redactor(b"k" * 32, record_seal=self.seal)
        self.keeper = KeyKeeper(
            self.database, BOX, self.keys, digest=self.digest, instance="main", clock=self.clock
        )
        self.custody = Custody(
            database=self.database, keeper=self.keeper, redactor=self.redactor, source=self.records,
            log=LOG, folder=None, covered=lambda _: 0, clock=self.clock, secret=SECRET,
        )  # fmt: skip

    def digest(self, tenant, subject):
        return subject_digest(self.redactor, tenant, subject)

    def sealed(self, content, *, subject="usr_1", tenant="acme"):
        found = self.redactor.seal(content, decision="dec_1", tenant=tenant, subject=subject)
        self.records.add(found, tenant=tenant, user=subject, at=self.clock.now())
        return found

    def opened(self, sealed, *, tenant="acme"):
        seal = RecordSeal(self.custody.record_keys())
        return seal.open(sealed, decision="dec_1", tenant=tenant)

    def word(self, name, reason="a court wants it"):
        return Word(name, (f"user:{name}",), EpochSeconds(self.clock.now()), reason)


@pytest.fixture
def world(database):
    return World(database)
