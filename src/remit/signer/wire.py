"""How a log and its signer talk: frames over a Unix socket, one answer to each question, in order.

A frame is two lengths (32 bits, big-endian), a JSON object of the first, and leaf hashes of 32 bytes each of
the second. Refused: longer frames than any question needs, and anything that is not a frame.
"""

import socket
from collections.abc import Sequence
from struct import Struct
from typing import ClassVar, Final

from remit.canonical import JsonObject, MalformedJsonError, canonical_bytes, parse_object
from remit.errors import Error
from remit_audit_verify.tree import Frontier

__all__ = ["MAX_LEAVES", "WireError", "receive", "send", "tree_json", "tree_of"]

MAX_LEAVES: Final = 262_144
"""As many as one question may hold; whoever has more asks several times."""
_LENGTHS: Final = Struct(">II")
_MAX_HEADER: Final = 64 * 1024
_LEAF: Final = 32


class WireError(Error):
    """The other end is gone, or does not talk like one of us."""

    code: ClassVar[str] = "signer_wire"


def send(end: socket.socket, header: JsonObject, leaves: Sequence[bytes] = ()) -> None:
    """Send one frame.

    Raises:
        WireError: the other end takes nothing.
    """
    said = canonical_bytes(header)
    try:
        end.sendall(b"".join([_LENGTHS.pack(len(said), len(leaves) * _LEAF), said, *leaves]))
    except OSError as error:
        raise WireError("the other end takes nothing", cause=error) from error


def receive(end: socket.socket) -> tuple[JsonObject, list[bytes]] | None:
    """The next frame; `None` when the other end has closed.

    Raises:
        WireError: it is not a frame, or does not come.
    """
    begin = _exactly(end, _LENGTHS.size, may_end=True)
    if begin is None:
        return None
    header, payload = _LENGTHS.unpack(begin)
    if header > _MAX_HEADER or payload > MAX_LEAVES * _LEAF or payload % _LEAF:
        raise WireError("not a frame")
    said = _exactly(end, header) or b""
    data = _exactly(end, payload) or b""
    try:
        told = parse_object(said)
    except MalformedJsonError as error:
        raise WireError("not a frame", cause=error) from error
    return told, [data[at : at + _LEAF] for at in range(0, payload, _LEAF)]


def tree_json(tree: Frontier) -> JsonObject:
    """A tree as a header has it."""
    return {"size": tree.size, "nodes": [node.hex() for node in tree.nodes]}


def tree_of(told: object) -> Frontier:
    """The tree in a header.

    Raises:
        WireError: there is none.
    """
    if not isinstance(told, dict):
        raise WireError("not a tree")
    size, nodes = told.get("size"), told.get("nodes")
    if type(size) is not int or not isinstance(nodes, list):
        raise WireError("not a tree")
    try:
        found = [bytes.fromhex(node) for node in nodes]
        if any(len(node) != _LEAF for node in found):
            raise WireError("not a tree")
        return Frontier(size, found)
    except (TypeError, ValueError) as error:
        raise WireError("not a tree", cause=error) from error


def _exactly(end: socket.socket, count: int, *, may_end: bool = False) -> bytes | None:
    """`count` bytes; `None` where the other end closed before the first, and may."""
    parts: list[bytes] = []
    missing = count
    while missing:
        try:
            part = end.recv(min(missing, 1 << 20))
        except OSError as error:
            raise WireError("the other end does not answer", cause=error) from error
        if not part:
            if may_end and missing == count:
                return None
            raise WireError("the other end closed in the middle of a frame")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
