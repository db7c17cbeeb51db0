"""What the tests of elevations drive: one that hangs below the only grant of a person, and calls that wait."""

from dataclasses import dataclass, field, replace

from remit.oauth import (
    ElevationDetail,
    Grant,
    GrantFilter,
    GrantKind,
    WaitingRequest,
    find_grant,
    list_grants,
    make_elevation_grant,
)

DIGEST = "hmac-sha256:0f1e2d"
SCOPE = "payments:refunds.high"


def detail(**changes):
    return replace(
        ElevationDetail(
            approval="apr_1",
            server="crm",
            kind="tool",
            thing="update_account",
            arguments_digest=DIGEST,
            definition="sha256:abc",
            purpose="a correction that Ada confirmed",
        ),
        **changes,
    )


def grants_of(server, **wanted):
    return server.database.read_now(lambda tx: list_grants(tx, GrantFilter(**wanted)))


def own_grant(server):
    """The newest that is no elevation."""
    return grants_of(server, kind=GrantKind.USER)[0]


def found(server, grant_id) -> Grant:
    return server.database.read_now(lambda tx: find_grant(tx, grant_id))


async def elevate(server, parent=None, /, *, scopes=(SCOPE,), lasts=300, **changes):
    """The id of an elevation below `parent`, or below the newest grant there is."""
    now, below = server.clock.now(), parent or own_grant(server).id
    return await server.database.run(
        lambda tx: make_elevation_grant(
            tx,
            parent=below,
            detail=detail(**changes),
            scopes=scopes,
            expires_at=now + lasts,
            at=now,
        )
    )


@dataclass
class CallsThatWait:
    """Stands for `remit.approvals`: one request, until it is taken away; and what was told of new grants."""

    waiting: WaitingRequest | None = None
    asked: list = field(default_factory=list)
    rebound: list = field(default_factory=list)

    async def waiting_for(self, client_id, user_id, resource):
        self.asked.append((client_id, user_id, resource))
        return self.waiting

    def rebind(self, tx, grant):
        self.rebound.append(grant)
