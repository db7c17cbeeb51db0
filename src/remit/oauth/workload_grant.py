"""The grant behind the tokens of a workload: one for all requests that say the same.

A job asks for a token as often as it likes. Equal requests descend from one grant, so that
revoking it ends them all and the list of grants stays short.

Source: MISSION A7; O21 §4.2.
"""

from dataclasses import replace

from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.guard.issuance import Applicant, Ruling
from remit.ids import GrantId, new_id
from remit.model import Server
from remit.oauth import grant_store
from remit.oauth.deps import OAuthDeps
from remit.oauth.grant import Grant, GrantKind
from remit.tokens import resource_of

__all__ = ["standing_grant", "workload_grant"]

_NOTED_EVERY: Seconds = Seconds(60)


def workload_grant(
    applicant: Applicant, server: Server, ruling: Ruling, *, deps: OAuthDeps, now: EpochSeconds
) -> Grant:
    """The grant that a request of a workload would make; it has no id until it is stored."""
    lifetime = deps.directory.catalog.issuer.grant_lifetime
    return Grant(
        id=GrantId(""),
        kind=GrantKind.WORKLOAD,
        user_id=None,
        client_id=applicant.client_id,
        agent_id=applicant.agent.id,
        tenant=applicant.subject.tenant,
        environment=server.environment,
        resource=resource_of(deps.public_url, server),
        scopes=tuple(sorted(ruling.scopes)),
        purpose=applicant.agent.purpose,
        auth_time=None,
        acr=None,
        amr=(),
        created_at=now,
        last_used_at=now,
        expires_at=EpochSeconds(now + lifetime),
    )


def standing_grant(tx: Transaction, wanted: Grant, *, deps: OAuthDeps, now: EpochSeconds) -> Grant:
    """The grant that already says the same and outlives the token; else `wanted`, stored."""
    lifetime = deps.directory.catalog.issuer.access_token_lifetime
    standing = grant_store.find_equal_workload_grant(tx, wanted, until=EpochSeconds(now + lifetime))
    if standing is not None and now - standing.last_used_at < _NOTED_EVERY:
        return standing  # noting each use would make all its tokens wait for one row
    used = None if standing is None else grant_store.use_grant(tx, standing.id, now=now)
    if used is not None:
        return used
    made = replace(wanted, id=GrantId(new_id("grt")))
    grant_store.add_grant(tx, made)
    return made
