"""How a log asks one witness: with the proof from where the witness was, and what its answers mean.

A witness that has seen another size says so, and is asked again from there. One that says that the log does not continue
what it saw, or has seen more of it than there is, tells of a log that was changed or set back, and that is told
apart from one that does not answer. Nothing a witness says is believed but a signature that holds.

Source: C2SP tlog-witness.
"""

import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from remit.errors import Error
from remit.witness.submission import Submission
from remit_audit_verify.cosignature import WitnessKey
from remit_audit_verify.note import (
    BadCheckpointError,
    Checkpoint,
    SignedCheckpoint,
    parse_checkpoint,
)

__all__ = ["ContradictedError", "Post", "WitnessSilentError", "cosigned", "signatures_of"]

Post: TypeAlias = Callable[[bytes], Awaitable[tuple[int, str]]]
"""Sends a body to the witness; its status and its text. Raises `WitnessSilentError`."""

_SIZE = re.compile(r"(0|[1-9][0-9]{0,15})\n?")
_MAX_LINES: Final = 16
_ROUNDS: Final = 3


class WitnessSilentError(Error):
    """The witness did not answer, or not with what it must."""

    code: ClassVar[str] = "witness_silent"


class ContradictedError(Error):
    """The witness saw another log than this one, or more of it."""

    code: ClassVar[str] = "witness_contradicts"


@dataclass(frozen=True, slots=True)
class _Refused:
    size: int


async def cosigned(
    note: str,
    *,
    keys: tuple[WitnessKey, ...],
    seen: int,
    prove: Callable[[int, int], Awaitable[list[bytes]]],
    post: Post,
) -> str:
    """The signature lines of the witness on `note`, each of which holds.

    `seen` is how much the witness saw last, as far as is known here; `prove` makes consistency proofs.

    Raises:
        WitnessSilentError: it did not answer as the protocol asks; it may the next time.
        ContradictedError: see the module.
        MissingHashError, OSError: a proof cannot be made.
    """
    signed = parse_checkpoint(note)
    checkpoint = signed.checkpoint
    for _ in range(_ROUNDS):
        if seen > checkpoint.size:
            raise ContradictedError(
                f"it saw {seen} records of `{checkpoint.origin}`, which has {checkpoint.size}"
            )
        proof = await prove(seen, checkpoint.size) if 0 < seen < checkpoint.size else []
        status, text = await post(Submission(seen, tuple(proof), note).to_bytes())
        answer = _read(status, text, checkpoint, seen=seen)
        if isinstance(answer, str):
            return _held(answer, signed, keys)
        seen = answer.size
    raise WitnessSilentError("it changes its mind about what it saw")


def signatures_of(note: str, keys: tuple[WitnessKey, ...]) -> dict[WitnessKey, int]:
    """By which of `keys` a note is signed, and when; those that do not hold are passed over.

    Raises:
        BadCheckpointError: it is no note.
    """
    signed = parse_checkpoint(note)
    known = {(key.name, key.hash): key for key in keys}
    found: dict[WitnessKey, int] = {}
    for name, key_hash, signature in signed.signatures:
        key = known.get((name, key_hash))
        if key is not None:
            try:
                found[key] = key.verify(signed.checkpoint, signature)
            except BadCheckpointError:
                continue
    return found


def _read(status: int, text: str, checkpoint: Checkpoint, *, seen: int) -> str | _Refused:
    match status:
        case 200:
            return text
        case 409:
            match = _SIZE.fullmatch(text)
            if match is None:
                raise WitnessSilentError("it says 409, and not what it saw")
            size = int(match[1])
            if size == seen:
                raise ContradictedError(
                    f"it saw another log of {size} records under the name `{checkpoint.origin}`"
                )
            return _Refused(size)
        case 422 if seen == checkpoint.size:
            raise ContradictedError(
                f"it saw another log of {seen} records under the name `{checkpoint.origin}`"
            )
        case 422:
            raise ContradictedError(
                f"`{checkpoint.origin}` does not continue the {seen} records that it saw"
            )
        case 403:
            raise WitnessSilentError(f"it does not know the key of `{checkpoint.origin}`")
        case 404:
            raise WitnessSilentError(f"it does not know the log `{checkpoint.origin}`")
        case _:
            raise WitnessSilentError(f"it answers {status}")


def _held(text: str, signed: SignedCheckpoint, keys: tuple[WitnessKey, ...]) -> str:
    """Those lines of an answer that are signatures of `keys`, and hold."""
    known = {(key.name, key.hash): key for key in keys}
    held: list[str] = []
    for line in text.splitlines()[:_MAX_LINES]:
        try:
            mark, name, value = line.split(" ")
            raw = b64decode(value, validate=True)
        except ValueError:
            continue
        key = known.get((name, raw[:4]))
        if mark != "—" or key is None:
            continue
        try:
            key.verify(signed.checkpoint, raw[4:])
        except BadCheckpointError as error:
            raise WitnessSilentError("its signature does not hold", cause=error) from error
        held.append(f"{line}\n")
    if not held:
        raise WitnessSilentError("it answers without a signature by its key")
    return "".join(held)
