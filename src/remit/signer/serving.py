"""The signer's door: a Unix socket, and who may ask through it.

As a child it has one connection, which is its standard input, and ends when that does: with whoever started it,
however that ended. On its own it listens on a path, and lets in only the users it was told of, as the kernel says
who they are. A question that is refused gets the refusal's code and words; one that is no question ends the connection.
"""

import socket
import struct
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Final

from remit.canonical import JsonObject
from remit.errors import Error
from remit.signer.desk import SignerDesk
from remit.signer.wire import WireError, receive, send, tree_of
from remit_audit_verify.errors import VerifyError

__all__ = ["answer", "converse", "listen", "peer_user", "serve_forever"]

_PAUSE: Final = 0.1


def answer(desk: SignerDesk, question: JsonObject, leaves: list[bytes]) -> JsonObject:
    """The answer to one question: `{"ok": …}`, or `{"refused": code, "detail": …}`.

    Raises:
        WireError: it is no question.
    """
    log, ask = question.get("log"), question.get("ask")
    if not isinstance(log, str) or not isinstance(ask, str):
        raise WireError("not a question")
    try:
        return {"ok": _answered(desk, ask, log, question=question, leaves=leaves)}
    except WireError:
        raise
    except Error as error:
        return {"refused": error.code, "detail": error.detail}
    except VerifyError as error:
        return {"refused": "signer_bad_name", "detail": error.detail}
    except (OSError, ValueError) as error:
        return {"refused": "signer_failed", "detail": f"the signer cannot: {type(error).__name__}"}


def _answered(
    desk: SignerDesk, ask: str, log: str, *, question: JsonObject, leaves: list[bytes]
) -> JsonObject:
    match ask:
        case "keys":
            return {"verifiers": list(desk.verifiers(log))}
        case "adopt":
            desk.adopt(log, b64decode(str(question.get("seed")), validate=True))
            return {}
        case "resume":
            return {"signed": desk.resume(log, tree_of(question.get("before")), leaves)}
        case "sign":
            note = desk.sign(log, tree_of(question.get("before")), leaves)
            return {"note": note, "verifiers": list(desk.verifiers(log))}
        case "propose":
            return {"verifier": desk.propose(log)}
        case "change":
            after = question.get("after")
            if type(after) is not int:
                raise WireError("not a question")
            desk.change(log, after=after)
            return {}
        case _:
            raise WireError("not a question")


def converse(end: socket.socket, desk: SignerDesk) -> None:
    """Answer what is asked over `end` until the other end closes it, or says what is no question."""
    with end, suppress(WireError):
        while (asked := receive(end)) is not None:
            send(end, answer(desk, *asked))


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`. Anybody may connect; who is let in is decided by user (`serve_forever`).

    What a signer that died left there is removed; one that listens is not.

    Raises:
        WireError: somebody listens there already, or something else stands there.
        OSError: it cannot be listened on.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise WireError(f"a signer listens on `{path}` already")
        path.unlink()
    elif path.exists():
        raise WireError(f"`{path}` is not a socket; remove it")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        path.chmod(0o666)
        listening.listen(16)
    except OSError:
        listening.close()
        raise
    return listening


def serve_forever(
    listening: socket.socket,
    desk: SignerDesk,
    *,
    users: frozenset[int],
    refused: Callable[[int], None],
) -> None:
    """Let in `users`, and nobody else, until `listening` is closed. `refused` is told of everybody else."""
    while True:
        try:
            end, _ = listening.accept()
        except OSError:
            if listening.fileno() < 0:
                return
            sleep(_PAUSE)  # too many files are open, or whoever came has gone again
            continue
        user = peer_user(end)
        if user not in users:
            refused(user)
            end.close()
            continue
        Thread(target=converse, args=(end, desk), daemon=True).start()


def peer_user(end: socket.socket) -> int:
    """The user at the other end, as the kernel has it; -1, who is nobody, where it does not say."""
    if not hasattr(socket, "SO_PEERCRED"):
        return -1
    size = struct.calcsize("3i")
    user: int = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1]
    return user
