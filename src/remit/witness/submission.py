"""What a log hands to a witness: how far it was, the proof that it only grew since, and its new checkpoint.

Both ends read it here. Refused is everything that is not spelt the one way there is.

Source: C2SP tlog-witness, add-checkpoint.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from remit.errors import Error
from remit_audit_verify.note import BadCheckpointError, Checkpoint, parse_checkpoint

__all__ = ["MAX_SUBMISSION", "MalformedSubmissionError", "Submission", "parse_submission"]

MAX_SUBMISSION: Final = 65_536
"""Bytes; a note with dozens of signatures has less."""
_MAX_PROOF: Final = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")


class MalformedSubmissionError(Error):
    """It is no submission; 400."""

    code: ClassVar[str] = "malformed_submission"


@dataclass(frozen=True, slots=True)
class Submission:
    """`note` is the signed note as it came; nothing in it is checked but its form."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def checkpoint(self) -> Checkpoint:
        return parse_checkpoint(self.note).checkpoint

    def to_bytes(self) -> bytes:
        """As it is sent."""
        lines = [f"old {self.old}", *(b64encode(node).decode() for node in self.proof)]
        return "".join([*(f"{line}\n" for line in lines), "\n", self.note]).encode()


def parse_submission(body: bytes) -> Submission:
    """Read what a log sent.

    Raises:
        MalformedSubmissionError: it is none.
    """
    try:
        head, separator, note = body.decode().partition("\n\n")
        first, *proof = head.split("\n")
        match = _OLD.fullmatch(first)
        if not separator or match is None or len(proof) > _MAX_PROOF:
            raise MalformedSubmissionError("it begins with `old`, a size and at most 63 hashes")
        parse_checkpoint(note)
        return Submission(int(match[1]), _hashes(proof), note)
    except UnicodeDecodeError as error:
        raise MalformedSubmissionError("it is not UTF-8", cause=error) from error
    except BadCheckpointError as error:
        raise MalformedSubmissionError(error.detail, cause=error) from error


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    found = []
    for line in lines:
        try:
            node = b64decode(line, validate=True)
        except ValueError as error:
            raise MalformedSubmissionError("a hash is not base64", cause=error) from error
        if len(node) != 32 or b64encode(node).decode() != line:
            raise MalformedSubmissionError("a hash has 32 bytes, spelt one way")
        found.append(node)
    return tuple(found)
