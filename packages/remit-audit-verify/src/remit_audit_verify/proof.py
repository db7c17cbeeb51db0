"""One record, shown without the rest: a `.tlog-proof` that holds the record, its path in the tree, and a signed root.

Made from a log's folder, from its tiles where they are and else by hashing its records once. Checked from the
file alone, with the log's key and a policy. The record stands in the proof's extra line, which nothing signs; it is
the record because it hashes to the leaf.

Source: C2SP tlog-proof; RFC 9162 §2.1.3.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.files import open_file
from remit_audit_verify.note import (
    BadCheckpointError,
    SignedCheckpoint,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
)
from remit_audit_verify.policy import NO_POLICY, Policy, Witnessed
from remit_audit_verify.stream_files import (
    CHECKPOINT,
    CHECKPOINTS,
    WITNESSED,
    list_segments,
    read_notes,
    read_segment,
)
from remit_audit_verify.tiles import TILE, TILE_WIDTH, MissingTileError, Tiles, path_ranges
from remit_audit_verify.tree import Frontier, leaf_hash, verify_inclusion

__all__ = [
    "BadProofError",
    "Proof",
    "Proven",
    "UnprovenError",
    "check_proof",
    "parse_proof",
    "prove",
]

_HEAD: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,15})")
_MAX_BYTES: Final = 1024 * 1024


class BadProofError(VerifyError):
    """No proof, or one that does not prove anything."""


class UnprovenError(BadProofError):
    """One that nothing contradicts, and that is not enough: too few witnesses, or no key for its log."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That record `index` is in the log whose checkpoint is `note`."""

    index: int
    path: tuple[bytes, ...]
    note: str
    record: bytes | None = None

    def __str__(self) -> str:
        extra = [] if self.record is None else [f"extra {b64encode(self.record).decode()}"]
        hashes = [b64encode(one).decode() for one in self.path]
        return "\n".join([_HEAD, *extra, f"index {self.index}", *hashes, "", self.note])


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof that holds says."""

    log: str
    index: int
    size: int
    record: bytes
    witnessed: Witnessed


def parse_proof(text: str) -> Proof:
    """Read a proof without trusting it.

    Raises:
        BadProofError: it is none.
    """
    if len(text) > _MAX_BYTES:
        raise BadProofError("longer than a proof can be")
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != _HEAD:
        raise BadProofError("not a tlog-proof")
    extra = lines.pop(1).removeprefix("extra ") if lines[1:2] and lines[1][:6] == "extra " else None
    match = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if match is None:
        raise BadProofError("a proof has a line with the index")
    path = tuple(_decode(line) for line in lines[2:])
    if any(len(one) != 32 for one in path) or len(path) > 64:
        raise BadProofError("a hash of a proof has 32 bytes")
    record = None if extra is None else _decode(extra)
    return Proof(int(match[1]), path, note, record)


def check_proof(
    proof: Proof,
    *,
    keys: Sequence[VerifierKey],
    policy: Policy = NO_POLICY,
    record: bytes | None = None,
) -> Proven:
    """What `proof` proves of the record in it, or of `record`.

    Raises:
        UnprovenError: nothing, for want of witnesses or of a key of its log.
        BadProofError: nothing: another record, another tree, a signature that is missing or does not hold.
    """
    held = proof.record if record is None else record
    if held is None:
        raise BadProofError("the proof holds no record, and none was handed over")
    trusted = [*keys, *(key for key in policy.logs if key not in keys)]
    try:
        origin = parse_checkpoint(proof.note).checkpoint.origin
        if not any(key.name == origin for key in trusted):
            raise UnprovenError(f"no key that is believed is for `{origin}`")
        checkpoint = open_checkpoint(proof.note, trusted)
        judged = policy.judge(parse_checkpoint(proof.note))
    except BadCheckpointError as error:
        raise BadProofError(error.detail, cause=error) from error
    leaf = leaf_hash(held)
    index, size = proof.index, checkpoint.size
    if not verify_inclusion(leaf, index, size, proof=proof.path, root=checkpoint.root):
        raise BadProofError(f"the record is not number {index} of the log that was signed")
    if not judged.enough:
        raise UnprovenError("too few witnesses have signed")
    return Proven(checkpoint.origin, index, size, held, judged)


def prove(folder: Path, index: int) -> Proof:
    """The proof of record `index` of the log in `folder`, under the newest note, of witnesses where it can be.

    Raises:
        BadProofError: there is no such record, or no checkpoint signs it yet.
        OSError: the log cannot be read.
    """
    note = _covering(folder, index)
    record = _record(folder, index)
    if record is None:
        raise BadProofError(f"record {index} is not here")
    size = note.checkpoint.size
    try:
        path = Tiles(folder, partial(_leaves, folder)).inclusion(index, size)
    except MissingTileError:
        path = _hashed(folder, index, size)
    held = verify_inclusion(leaf_hash(record), index, size, proof=path, root=note.checkpoint.root)
    if not held:
        raise BadProofError("the log is not as it was signed: verify it")
    return Proof(index, tuple(path), _written(note), record)


def _covering(folder: Path, index: int) -> SignedCheckpoint:
    for name in (WITNESSED, CHECKPOINTS, CHECKPOINT):
        newest = _newest(folder / name)
        if newest is not None and newest.checkpoint.size > index:
            return newest
    raise BadProofError(f"no checkpoint signs record {index} yet")


def _newest(path: Path) -> SignedCheckpoint | None:
    found = None
    try:
        with open_file(path) as file:
            file.seek(max(0, file.seek(0, 2) - 256 * 1024))
            tail = file.read()
    except FileNotFoundError:
        return None
    lines = [*tail.splitlines(keepends=True), *([b"\n"] if path.name == CHECKPOINT else [])]
    for note in read_notes(lines):
        if note.complete:
            found = note.content
    try:
        return None if found is None else parse_checkpoint(found.decode())
    except (BadCheckpointError, UnicodeDecodeError) as error:
        raise BadProofError(f"the last note of `{path.name}` cannot be read") from error


def _written(note: SignedCheckpoint) -> str:
    lines = [
        f"— {name} {b64encode(key_hash + signature).decode()}\n"
        for name, key_hash, signature in note.signatures
    ]
    return note.checkpoint.body() + "\n" + "".join(lines)


def _record(folder: Path, index: int) -> bytes | None:
    for sequence, content in _records(folder, index):
        if sequence == index:
            return content
    return None


def _records(folder: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """The whole records from the file on that has record `start`."""
    segments = list_segments(folder)[0]
    for number, segment in enumerate(segments):
        if number + 1 < len(segments) and segments[number + 1].first <= start:
            continue
        for sequence, line in enumerate(read_segment(segment), start=segment.first):
            if line.complete:
                yield sequence, line.content


def _leaves(folder: Path, first: int, last: int) -> list[bytes]:
    """The leaf hashes of some records at the end, which are in no tile yet."""
    if last - first > TILE_WIDTH or not (folder / TILE).is_dir():
        return []
    found = takewhile(lambda one: one[0] < last, _records(folder, first))
    return [leaf_hash(content) for sequence, content in found if sequence >= first]


def _hashed(folder: Path, index: int, size: int) -> list[bytes]:
    """The audit path, by hashing all records once."""
    ranges = path_ranges(index, size)
    trees = [Frontier() for _ in ranges]
    ordered = sorted(zip(ranges, trees, strict=True), key=lambda one: one[0])
    place, reached = 0, 0
    for sequence, content in _records(folder, 0):
        if sequence >= size:
            break
        while place < len(ordered) and sequence >= ordered[place][0][1]:
            place += 1
        if place < len(ordered) and sequence >= ordered[place][0][0]:
            ordered[place][1].append(leaf_hash(content))
        reached += 1
    if reached < size:
        raise BadProofError("records are missing, and no tiles hold their hashes")
    return [tree.root() for tree in trees]


def _decode(text: str) -> bytes:
    try:
        value = b64decode(text, validate=True)
    except ValueError as error:
        raise BadProofError("a proof holds what is not base64", cause=error) from error
    if b64encode(value).decode() != text:
        raise BadProofError("a proof holds base64 in a spelling of its own")
    return value
