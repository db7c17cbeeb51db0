"""A signer in another process, as the log's writer sees it: asked, and waited for so long and no longer.

The writer is what every call waits for, so a signer that is slow or gone must not hold it up: a question that is not
answered within `_PATIENCE` goes on being asked in a thread of its own, and its answer is taken the next time. A
connection that fails is opened again, after a pause that grows. While that lasts, nothing is signed, and records wait.

Source: AUDIT §1.5.
"""

import socket
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Final

from remit.audit.signing import LogSetBackError, SignerUnavailableError
from remit.canonical import JsonObject
from remit.signer.channel import Channel
from remit.signer.errors import NotContinuedError
from remit.signer.wire import MAX_LEAVES, WireError, receive, send, tree_json
from remit_audit_verify.note import BadCheckpointError, VerifierKey
from remit_audit_verify.tree import Frontier

__all__ = ["RemoteSigner"]

_PATIENCE: Final = 1.0
_BEGINNING: Final = 40.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class RemoteSigner:
    """Implements `CheckpointSigner`. Used by the log's writer, but for `propose` and `change`."""

    def __init__(self, log: str, channel: Channel, *, adopt: bytes | None = None) -> None:
        """Reach the signer, hand over the key that `log` has been signed with until now, if there is one, and ask for its keys.

        Raises:
            SignerUnavailableError: it does not answer, or has another key for `log`.
        """
        self._log = log
        self._channel = channel
        self._closing = Event()
        self._pause = 0.0
        self._end: socket.socket | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit-signer")
        self._has_signed = False
        self._asked: tuple[int, Future[JsonObject]] | None = None
        try:
            if adopt is not None:
                self._now({"ask": "adopt", "log": log, "seed": b64encode(adopt).decode()})
            self.verifiers = _verifiers(self._now({"ask": "keys", "log": log}))
        except SignerUnavailableError:
            self.close()
            raise

    @property
    def verifier(self) -> VerifierKey:
        return self.verifiers[0]

    def resume(self, before: Frontier, leaves: Sequence[bytes]) -> None:
        # What was signed is ahead of the log's own checkpoints by one question at most, and so within its first leaves.
        question: JsonObject = {"ask": "resume", "log": self._log, "before": tree_json(before)}
        self._now(question, leaves=leaves[:MAX_LEAVES])

    def sign(self, before: Frontier, leaves: Sequence[bytes]) -> str:
        asked, patience = self._asked, 0.0
        if asked is None or asked[0] != before.size:
            question: JsonObject = {"ask": "sign", "log": self._log, "before": tree_json(before)}
            asked = (before.size, self._submit(question, leaves[:MAX_LEAVES]))
            # The first one is what a start waits for. Later ones are waited for once, and then only looked for.
            self._asked, patience = asked, _PATIENCE if self._has_signed else _BEGINNING
        try:
            answer = asked[1].result(patience)
        except TimeoutError:
            raise SignerUnavailableError("the signer has not answered yet") from None
        except SignerUnavailableError:
            self._asked = None
            raise
        self._asked, self._has_signed = None, True
        self.verifiers = _verifiers(answer)
        return str(answer.get("note"))

    def propose(self) -> VerifierKey:
        """The key that is to sign next; the same until it does.

        Raises:
            SignerUnavailableError: it does not answer.
        """
        answer = self._now({"ask": "propose", "log": self._log})
        return _parsed(str(answer.get("verifier")))

    def change(self, *, after: int) -> None:
        """Have the proposed key sign from the first checkpoint on that has record `after`.

        Raises:
            SignerUnavailableError: it does not answer, or none is proposed.
        """
        self._now({"ask": "change", "log": self._log, "after": after})

    def close(self) -> None:
        """Give up the connection, and end the signer if it is a child; idempotent."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._channel.close()

    def _now(self, question: JsonObject, *, leaves: Sequence[bytes] = ()) -> JsonObject:
        """The answer, however long it takes within reason: for what no call waits for."""
        try:
            return self._submit(question, leaves).result(_BEGINNING)
        except TimeoutError:
            raise SignerUnavailableError("the signer does not answer") from None

    def _submit(self, question: JsonObject, leaves: Sequence[bytes]) -> "Future[JsonObject]":
        try:
            return self._thread.submit(self._ask, question, list(leaves))
        except RuntimeError as error:
            raise SignerUnavailableError("the signer was given up", cause=error) from error

    # -- in the thread of its own ------------------------------------------------

    def _ask(self, question: JsonObject, leaves: list[bytes]) -> JsonObject:
        """Ask, and once more where the connection turns out to be lost: every question may be asked twice."""
        for again in (self._end is not None, False):
            try:
                return _ok(self._told(question, leaves))
            except (WireError, OSError) as error:
                self._end = None
                if not again:
                    self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))
                    detail = "the signer does not answer"
                    raise SignerUnavailableError(detail, cause=error) from error
        raise AssertionError  # the second turn answers or raises

    def _told(self, question: JsonObject, leaves: list[bytes]) -> JsonObject:
        if self._end is None:
            if self._pause and self._closing.wait(self._pause):
                raise WireError("the signer was given up")
            self._end = self._channel.open()
        send(self._end, question, leaves)
        told = receive(self._end)
        if told is None:
            raise WireError("the signer closed the connection")
        self._pause = 0.0
        return told[0]


def _ok(told: JsonObject) -> JsonObject:
    answer = told.get("ok")
    if isinstance(answer, dict):
        return answer
    detail = str(told.get("detail") or "the signer refuses")
    if told.get("refused") == NotContinuedError.code:
        raise LogSetBackError(detail)
    raise SignerUnavailableError(detail)


def _verifiers(answer: JsonObject) -> tuple[VerifierKey, ...]:
    told = answer.get("verifiers")
    if not isinstance(told, list) or not told:
        raise SignerUnavailableError("the signer names no key")
    return tuple(_parsed(str(line)) for line in told)


def _parsed(line: str) -> VerifierKey:
    try:
        return VerifierKey.parse(line)
    except BadCheckpointError as error:
        raise SignerUnavailableError("the signer names no key", cause=error) from error
