"""A stretch of a log, read at the speed of its hashes: everything is as it must be, or somebody looks closely.

Of each record the leaf hash is taken, and its number, its time and the record that it names are found where a
canonical record has them, without parsing it. Nothing here decides that a log is tampered with: a stretch in
which anything at all is unusual is given up (`None`), and walked through record by record.

That the bytes are those that were signed, the roots show, which the caller compares. `full` parses each record
besides, and compares it with its canonical form.

Source: AUDIT §1.4, §1.8; RFC 6962 §2.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from remit_audit_verify.claims import Calls, call_of
from remit_audit_verify.clock import Clock
from remit_audit_verify.files import open_file
from remit_audit_verify.record import BadRecordError, JsonObject, read_record, require_envelope
from remit_audit_verify.tree import Frontier

__all__ = ["BLOCK", "Scanned", "Stretch", "grow", "scan"]

BLOCK: Final = 256
"""As many leaves have their root taken at once, where the stretch has all of them."""
_HEX: Final = 64
_TIME: Final = 24
_SPEAKS_OF_LOGS: Final = frozenset(
    {b"audit.key_changed", b"audit.pruned", b"clock.jumped", b"logs.joined"}
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole lines of one file of records."""

    path: Path
    offset: int
    length: int
    full: bool = False


@dataclass(slots=True)
class Scanned:
    """What a stretch holds, nothing unusual being in it."""

    first: int
    link: str
    """The record that its first names."""
    leaves: bytes
    blocks: list[bytes]
    """Of each whole block of leaves in it, aligned in the log, the root."""
    times: bytes
    """Of each record 24 characters, spelt so that they sort as texts."""
    oldest: str
    newest: str
    calls: Calls = field(default_factory=Calls)
    told: list[tuple[int, JsonObject]] = field(default_factory=list)
    """Records of the kinds that speak of logs, and of clocks."""

    @property
    def count(self) -> int:
        return len(self.leaves) // 32

    def leaf(self, sequence: int) -> bytes:
        """The leaf hash of record `sequence`, which is one of these."""
        at = (sequence - self.first) * 32
        return self.leaves[at : at + 32]

    def time_of(self, place: int) -> str:
        return self.times[place * _TIME : (place + 1) * _TIME].decode()

    def earliest(self, begin: int = 0) -> str:
        """Of the times from `begin` on; beyond all times when there are none."""
        if begin == 0:
            return self.oldest
        return min((self.time_of(place) for place in range(begin, self.count)), default="~")

    def latest(self) -> str:
        return self.newest


def scan(stretch: Stretch) -> Scanned | None:
    """Read `stretch`; `None` when there is anything in it that has to be looked at closely.

    Raises:
        OSError: it cannot be read.
    """
    with open_file(stretch.path) as file:
        file.seek(stretch.offset)
        content = file.read(stretch.length)
    if len(content) != stretch.length or not content.endswith(b"\n"):
        return None
    lines = content.split(b"\n")
    lines.pop()
    first = _number(lines[0])
    return None if first is None else _read(lines, first, full=stretch.full)


def _read(lines: list[bytes], first: int, *, full: bool) -> Scanned | None:
    calls, told, leaves, times = Calls(), [], [], []
    link = previous = _link(lines[0])
    sequence = first
    for line in lines:
        at = line.rfind(b'","prev":"%b","' % previous)
        if at < 0 or line.find(b',"seq":%d,"' % sequence, at) < 0:
            return None
        times.append(line[at - _TIME : at])
        kind_at = line.rfind(b',"kind":"', 0, at) + 9
        kind = line[kind_at : line.find(b'"', kind_at)]
        if full or kind in _SPEAKS_OF_LOGS:
            try:
                entry = read_record(line)
                require_envelope(entry)
            except BadRecordError:
                return None
            if kind in _SPEAKS_OF_LOGS:
                told.append((sequence, entry))
            elif (call := call_of(entry)) is not None:
                _take(calls, call, sequence)
        elif kind == b"decision" or kind == b"call.completed":  # noqa: PLR1714  a set would be slower
            quick = _call(line, kind_at, kind)
            if quick is not None:
                _take(calls, quick, sequence)
        leaf = sha256(b"\0" + line)
        leaves.append(leaf.digest())
        previous = leaf.hexdigest().encode()
        sequence += 1
    if not _are_times(times) or not _go_forwards(times):
        return None
    blocks = _blocks(first, leaves)
    return Scanned(
        first=first,
        link=link.decode(errors="replace"),
        leaves=b"".join(leaves),
        blocks=blocks,
        times=b"".join(times),
        oldest=min(times).decode(),
        newest=max(times).decode(),
        calls=calls,
        told=told,
    )


def _call(line: bytes, end: int, kind: bytes) -> tuple[str, bool] | None:
    """As `call_of`, from the bytes: what callers sent stands behind the one and before the other."""
    allowed = kind == b"decision"
    if allowed:
        outcome = line.rfind(b',"outcome":"', 0, end)
        if not line.startswith(b'allow"', outcome + 12):
            return None
        if line.find(b',"reason":"listed"', outcome, end) >= 0:
            return None
    begin = line.find(b'"decision_id":"') + 15
    decision = line[begin : line.find(b'"', begin)]
    return decision.decode(errors="replace"), allowed


def _take(calls: Calls, call: tuple[str, bool], sequence: int) -> None:
    if call[1]:
        calls.open(call[0], sequence)
    else:
        calls.close(call[0], sequence)


def _blocks(first: int, leaves: list[bytes]) -> list[bytes]:
    begin = -first % BLOCK
    return [_root(leaves[at : at + BLOCK]) for at in range(begin, len(leaves) - BLOCK + 1, BLOCK)]


def _root(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [
            sha256(b"\1" + left + right).digest()
            for left, right in zip(row[::2], row[1::2], strict=True)
        ]
    return row[0]


def grow(tree: Frontier, scanned: Scanned, *, upto: int) -> None:
    """Add to `tree` the leaves of `scanned` before number `upto`, by whole blocks where it can be."""
    leaves, first = scanned.leaves, scanned.first
    begin = first + -first % BLOCK
    while tree.size < upto:
        size = tree.size
        if size % BLOCK == 0 and size + BLOCK <= upto and size >= begin:
            tree.append_perfect(scanned.blocks[(size - begin) // BLOCK], 8)
        else:
            at = (size - first) * 32
            tree.append(leaves[at : at + 32])


def _number(line: bytes) -> int | None:
    at = line.rfind(b',"seq":') + 7
    digits = line[at : line.find(b",", at)]
    return int(digits) if digits.isdigit() and len(digits) < 17 else None


def _link(line: bytes) -> bytes:
    at = line.rfind(b'","prev":"') + 10
    return line[at : at + _HEX]


def _go_forwards(times: list[bytes]) -> bool:
    """Whether none lies further behind an earlier one than clocks may differ."""
    if times == sorted(times):
        return True
    clock = Clock()
    return all(
        clock.record(place, time.decode()) is None and not clock.steps
        for place, time in enumerate(times)
    )


def _are_times(times: Iterable[bytes]) -> bool:
    """Whether all are spelt as times are, so that they sort as texts."""
    shape = bytes.maketrans(b"0123456789", b"0" * 10)
    return {time.translate(shape) for time in times} == {b"0000-00-00T00:00:00.000Z"}
