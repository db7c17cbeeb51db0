"""An elevation as a grant: below the one whose call was allowed, for that call, and never for a token.

It is made when people have said yes, is spent once, moves with its person to the grant that the same client is
given next, and ends with the grant it hangs below. No token is ever issued from it: there is neither a code nor a
refresh token of its own, and whoever exchanges a token finds none of it in the new one. Its id is the elevation's.

Source: RFC 9396 §2, §7; MISSION C2; docs/adr/0025-cures.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error
from remit.ids import GrantId, ScopeName, ServerName, new_id
from remit.oauth import elevation_grant_store, grant_store
from remit.oauth.grant import Grant, GrantKind
from remit.tokens.authorization_details import Constraint

__all__ = [
    "ELEVATION",
    "ElevationDetail",
    "ParentEndedError",
    "make_elevation_grant",
    "move_elevation_grants",
    "spend_elevation_grant",
]

ELEVATION: Final = "remit_elevation"
"""The type of its authorization detail. No client can ask for one of that type."""

_PREFIX = "elv"


class ParentEndedError(Error):
    """The grant whose call was allowed has ended, so that there is nothing to allow more of."""

    code: ClassVar[str] = "parent_grant_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationDetail:
    """For what an elevation is good. What narrows it most is `arguments_digest`: one call, to the last argument."""

    approval: str
    """The request that was answered (`apr_…`)."""
    server: ServerName
    kind: str
    """`tool`, `resource` or `prompt`."""
    thing: str
    arguments_digest: str
    """Keyed with the installation's key: it compares, and gives nothing away."""
    definition: str | None = None
    """The digest of the definition that was pinned when it was allowed."""
    constraints: Mapping[str, Constraint] = field(default_factory=lambda: MappingProxyType({}))
    """What of the arguments may be read by whoever reads the grant; the digest holds all of them."""
    purpose: str = ""
    uses: int = 1
    acr: str | None = None
    """How the person of the call proved who they are when they confirmed it; `None` where only others approved."""
    auth_time: EpochSeconds | None = None

    def as_json(self, resource: str, expires_at: EpochSeconds) -> JsonObject:
        """As it stands in the grant and in introspection."""
        members: JsonObject = {
            "type": ELEVATION,
            "locations": [resource],
            "server": self.server,
            "kind": self.kind,
            "name": self.thing,
            "arguments_digest": self.arguments_digest,
            "approval": self.approval,
            "purpose": self.purpose,
            "uses": self.uses,
            "expires_at": expires_at,
        }
        if self.definition is not None:
            members["definition"] = self.definition
        if self.constraints:
            members["constraints"] = {
                name: constraint.as_json() for name, constraint in self.constraints.items()
            }
        return members


def make_elevation_grant(
    tx: Transaction,
    *,
    parent: GrantId,
    detail: ElevationDetail,
    scopes: tuple[ScopeName, ...],
    expires_at: EpochSeconds,
    at: EpochSeconds,
) -> GrantId:
    """A grant for what `detail` says, below `parent`; it ends at `expires_at`, or with `parent` if that is sooner.

    The row of `parent` is held until the transaction ends. The event (`elevation.given`) is the caller's.

    Raises:
        ParentEndedError: `parent` was revoked, has expired, never was, or is an elevation itself.
    """
    above = grant_store.use_grant(tx, parent, now=at)
    if above is None or above.kind is GrantKind.ELEVATION:
        raise ParentEndedError("the grant that the call was made with has ended")
    ends = min(expires_at, above.expires_at)
    grant = Grant(
        id=GrantId(new_id(_PREFIX)),
        kind=GrantKind.ELEVATION,
        user_id=above.user_id,
        client_id=above.client_id,
        agent_id=above.agent_id,
        tenant=above.tenant,
        environment=above.environment,
        resource=above.resource,
        scopes=scopes,
        purpose=detail.purpose,
        auth_time=detail.auth_time,
        acr=detail.acr,
        amr=(),
        created_at=at,
        last_used_at=at,
        expires_at=ends,
        parent_id=above.id,
        actors=above.actors,
        authorization_details=(detail.as_json(above.resource, ends),),
        jkt=above.jkt,
        origin=above.origin,
    )
    grant_store.add_grant(tx, grant)
    return grant.id


def spend_elevation_grant(
    tx: Transaction, grant_id: GrantId, *, at: EpochSeconds, last: bool = True
) -> bool:
    """Note its use if it is live; whether it was. With the `last` use it is over, though not revoked.

    One statement: of several at the same time, only one can have the last use.
    """
    return elevation_grant_store.spend(tx, grant_id, at=at, last=last)


def move_elevation_grants(tx: Transaction, to: Grant, *, at: EpochSeconds) -> tuple[GrantId, ...]:
    """Let what can still be used of the same person, client, agent and resource hang below `to`; what moved.

    It ends with `to` from now on, and no longer with the grant it was made below.
    """
    if to.user_id is None:
        return ()  # a workload is not sent through a browser
    return elevation_grant_store.move(tx, to, at=at)
