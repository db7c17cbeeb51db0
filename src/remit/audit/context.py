"""Who acted, through what, from where: the part of the envelope every event shares.

`null` in the log means "not known here", never "not recorded".
Source: AUDIT envelope groups `scope`, `principal`, `network`, `correlation`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from remit.canonical import Json, JsonObject

__all__ = ["Actor", "ActorType", "Context", "Network", "Trace", "authenticated", "chain_of"]

_LONGEST = 128
_MOST = 16


class ActorType(StrEnum):
    USER = "user"
    AGENT = "agent"
    CLIENT = "client"
    ADMIN = "admin"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `id` is an opaque identifier of ours, never free text of the caller's."""

    type: ActorType
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The peer as Remit saw it: `ip` after trusted proxies, `user_agent` cut to 256 printable characters.

    `zones` are the networks of the policy repository that `ip` is in; `hops` how many proxies were looked through.
    """

    ip: str | None = None
    user_agent: str | None = None
    zones: tuple[str, ...] = ()
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """W3C trace context: taken from the request if well formed, else minted. Never trusted for a decision."""

    trace_id: str
    span_id: str
    flags: str = "01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known of the circumstances when an event happens."""

    actor: Actor = Actor(ActorType.SYSTEM)
    tenant: str | None = None
    environment: str | None = None
    user_id: str | None = None
    agent_id: str | None = None
    client_id: str | None = None
    grant_id: str | None = None
    flow_id: str | None = None
    network: Network = Network()
    trace: Trace | None = None
    auth: Mapping[str, Json] | None = None
    """How the person behind it had logged in, as `authenticated` writes it."""
    act: tuple[Mapping[str, Json], ...] = ()
    """Through which agents a token came to who acts now, the last first, as `chain_of` writes them (RFC 8693 §4.1)."""
    caused_by: tuple[str, ...] = ()
    """Ids of ours (of decisions, requests to people, grants, events) without which this would not have happened."""

    def with_(self, **changes: object) -> "Context":
        """A copy in which `changes` are known too."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked by replace


def authenticated(
    acr: str | None, amr: Iterable[str] = (), auth_time: int | None = None
) -> JsonObject:
    """`Context.auth`: how strongly, by what, and at which second since the epoch somebody logged in.

    A value that an identity provider made up and that is no word is left out.
    """
    words: list[Json] = [one for one in amr if _is_word(one)]
    return {
        "acr": acr if acr is not None and _is_word(acr) else None,
        "amr": words[:_MOST],
        "auth_time": auth_time,
    }


def chain_of(actors: Iterable[tuple[str, str]]) -> tuple[JsonObject, ...]:
    """`Context.act`: agent and client of each who stood in between, cut to what every record has room for."""
    first = islice(actors, _MOST)
    return tuple(
        [{"agent": agent[:_LONGEST], "client": client[:_LONGEST]} for agent, client in first]
    )


def _is_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= _LONGEST
