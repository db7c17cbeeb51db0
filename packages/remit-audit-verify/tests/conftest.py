"""Logs made here, by nothing of the server's: what the verifier says of them does not depend on who wrote them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.clock import written_ms
from remit_audit_verify.cosignature import WitnessKey, cosign
from remit_audit_verify.note import Checkpoint, VerifierKey, sign_checkpoint
from remit_audit_verify.policy import Policy
from remit_audit_verify.record import first_link
from remit_audit_verify.stream_files import segment_name
from remit_audit_verify.tiles import tile_path
from remit_audit_verify.tree import leaf_hash, root_hash

BEGIN = 1_700_000_000
"""When every log begins, in seconds."""
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS = WitnessKey.of("witness.test/w", WITNESS_KEY)
POLICY = Policy(witnesses={"w": WITNESS}, quorum="w")


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Log:
    """A log as its files have it: records with numbers, links and times, and checkpoints over them."""

    folder: Path
    origin: str = "example.test/main"
    key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    )
    lines: list[bytes] = field(default_factory=list)
    step_ms: int = 1_000

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey.of(self.origin, self.key)

    @property
    def leaves(self) -> list[bytes]:
        return [leaf_hash(line) for line in self.lines]

    def add(self, kind: str = "grant.revoked", at_ms: int | None = None, **body) -> int:
        """One more record; its number."""
        number = len(self.lines)
        at_ms = number * self.step_ms if at_ms is None else at_ms
        time = written_ms(BEGIN * 1_000 + at_ms)
        previous = leaf_hash(self.lines[-1]).hex() if self.lines else first_link(self.origin)
        entry = {
            "actor": {"id": None, "type": "system"}, "agent": None, "body": body, "client": None,
            "env": None, "flow": None, "grant": None, "id": f"evt_{number:032d}", "kind": kind,
            "net": {"ip": None, "ua": None}, "observed": time, "prev": previous,
            "producer": {"instance": "main", "service": "test", "version": "1"}, "seq": number,
            "tenant": None, "time": time, "trace": None, "user": None, "v": 1,
        }  # fmt: skip
        self.lines.append(canonical(entry))
        return number

    def fill(self, count: int) -> None:
        for _ in range(count):
            self.add(reason=f"because {len(self.lines)}")

    def note(self, size: int, *, witnessed: int | None = None) -> str:
        """The checkpoint over the first `size` records; cosigned at second `witnessed` of the log."""
        checkpoint = Checkpoint(self.origin, size, root_hash(self.leaves[:size]))
        note = sign_checkpoint(checkpoint, self.key)
        if witnessed is not None:
            note += cosign(checkpoint, WITNESS.name, WITNESS_KEY, time=BEGIN + witnessed)
        return note

    def write(
        self,
        sizes: Sequence[int] | None = None,
        *,
        witnessed: dict[int, int] | None = None,
        segments: Sequence[int] = (0,),
    ) -> Path:
        """Lay the files; checkpoints over `sizes`, by default over everything."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sizes = [len(self.lines)] if sizes is None else sizes
        bounds = [*segments, len(self.lines)]
        for first, last in pairwise(bounds):
            content = b"".join(line + b"\n" for line in self.lines[first:last])
            (self.folder / segment_name(first)).write_bytes(content)
        (self.folder / "checkpoints").write_text("".join(f"{self.note(size)}\n" for size in sizes))
        if witnessed:
            notes = [self.note(size, witnessed=at) for size, at in witnessed.items()]
            (self.folder / "witnessed").write_text("".join(f"{note}\n" for note in notes))
        (self.folder / "log.pub").write_text(f"{self.verifier}\n")
        return self.folder

    def write_tiles(self, *, entries: bool = False) -> None:
        """All tiles as tlog-tiles has them, partial ones too."""
        level, row = 0, self.leaves
        while row:
            for index in range(0, len(row), 256):
                hashes = row[index : index + 256]
                self._tile(f"tile/{level}/{tile_path(index // 256)}", hashes)
            full = len(row) // 256
            row = [root_hash(row[n * 256 : n * 256 + 256]) for n in range(full)]
            level += 1
        for index in range(0, len(self.lines), 256) if entries else []:
            some = [len(one).to_bytes(2, "big") + one for one in self.lines[index : index + 256]]
            self._tile(f"tile/entries/{tile_path(index // 256)}", some)

    def _tile(self, name: str, parts: list[bytes]) -> None:
        name = name if len(parts) == 256 else f"{name}.p/{len(parts)}"
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(parts))


@pytest.fixture
def make_log(tmp_path):
    """Makes a log of `count` records, not yet written."""

    def make(count: int = 0, name: str = "main", **changes) -> Log:
        log = Log(tmp_path / "audit" / name, origin=f"example.test/{name}", **changes)
        log.fill(count)
        return log

    return make


@pytest.fixture
def policy() -> Policy:
    return POLICY


@pytest.fixture
def begin() -> int:
    return BEGIN
