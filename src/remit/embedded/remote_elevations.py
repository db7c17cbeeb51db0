"""What people said yes to, as a guard inside a server knows it: not at all, so that it asks Remit about the calls that policies refuse and people could cure.

Refuses whenever Remit is not reached, or does not say: what may have been spent is spent, and nobody is taken to
have been asked. The caller's own token goes along, so that Remit finds out by itself who calls.

Source: docs/adr/0017-guard-in-process.md; docs/adr/0025-cures.md.
"""

import re
from typing import Final, TypeVar
from urllib.parse import urlsplit

from remit.canonical import Json, JsonObject
from remit.embedded.remit_door import RemitDoor, RemitUnavailableError
from remit.guard.authorization_header import presented_token
from remit.guard.codec import UnreadableError, from_json, to_json
from remit.guard.elevations import Asked, Elevated, ElevationsUnavailableError, Wanted
from remit.policy import ResourceKind
from remit.policy.vocabulary import URI_ARGUMENT

__all__ = ["RemoteElevations"]

T = TypeVar("T")

_ADDRESS: Final = re.compile(r"[!-~]{1,2000}")


class RemoteElevations:
    """Implements `guard.elevations.Elevations`."""

    def __init__(self, door: RemitDoor) -> None:
        self._door = door

    async def found(self, wanted: Wanted) -> Elevated | None:
        """The elevation that Remit has for this very call.

        Raises:
            ElevationsUnavailableError: it does not say.
        """
        told = (await self._told(wanted, "find")).get("elevation", "")
        return None if told is None else _read(Elevated, told)

    async def spend(self, elevated: Elevated, wanted: Wanted) -> bool:
        """Have Remit spend it; whether this was the one that could.

        Raises:
            ElevationsUnavailableError: it does not say; it may be spent.
        """
        spent = (await self._told(wanted, "spend", elevation=elevated.id)).get("spent")
        if not isinstance(spent, bool):
            raise ElevationsUnavailableError("what remit answered says nothing of it")
        return spent

    async def ask(self, wanted: Wanted) -> Asked | None:
        """Have Remit ask people.

        Raises:
            ElevationsUnavailableError: it does not say whether it did.
        """
        held = None if wanted.held is None else wanted.held.id
        told = (await self._told(wanted, "ask", elevation=held)).get("asked", "")
        if told is None:
            return None
        asked = _read(Asked, told)
        if not _is_page(asked):
            raise ElevationsUnavailableError("where remit asks is no address")
        return asked

    async def _told(self, wanted: Wanted, what: str, *, elevation: str | None = None) -> JsonObject:
        try:
            return await self._door.elevations(_question(wanted, what, elevation))
        except RemitUnavailableError as error:
            raise ElevationsUnavailableError(error.detail, cause=error) from error


def _question(wanted: Wanted, what: str, elevation: str | None) -> JsonObject:
    presented = presented_token(wanted.authorization)
    _, kind, name = wanted.thing
    if kind is ResourceKind.RESOURCE:
        # Of a template the address says which one is meant, and the address is all there is to say.
        name = str(wanted.arguments.get(URI_ARGUMENT.name, ""))
    needs: list[Json] = [to_json(one) for one in wanted.needs]
    return {
        "do": what,
        "use": wanted.decision_id,
        "at": wanted.at,
        "token": "" if presented is None else presented.token,
        "kind": kind.value,
        "name": name,
        "arguments": wanted.arguments,
        "needs": needs,
        "justification": wanted.justification,
        "elevation": elevation,
        "earlier": wanted.earlier,
        "task_of": wanted.task_of,
    }


def _read(kind: type[T], told: Json) -> T:
    try:
        return from_json(kind, told)
    except UnreadableError as error:
        raise ElevationsUnavailableError("what remit told is no answer", cause=error) from error


def _is_page(asked: Asked) -> bool:
    """Whether it leads to a page of that request: it is shown to people."""
    parts = urlsplit(asked.url)
    return (
        _ADDRESS.fullmatch(asked.url) is not None
        and parts.scheme in {"https", "http"}
        and bool(parts.hostname)
        and parts.path.endswith(f"/approvals/{asked.id}")
    )
