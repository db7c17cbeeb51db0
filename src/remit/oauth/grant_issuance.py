"""Tokens from a grant: who holds it now, what may be had now, and the token that says so.

The same for a code that is redeemed, a refresh and a workload, so that a policy, a
role or a suspension that came in between bites at each of them alike.

Source: MISSION A7, B6; O21 §4.3.1; RFC 9449 §5.
"""

from remit.db import Transaction
from remit.guard.issuance import Applicant, Ruling, rule
from remit.ids import ScopeName
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, InvalidScopeError
from remit.oauth.grant import Grant
from remit.oauth.grant_holder import having, holder_of, server_of
from remit.oauth.guardrail_alert import record_alerts
from remit.oauth.key_binding import require_key
from remit.oauth.refusal import TokenRefusalError
from remit.oauth.token_request import TokenRequest
from remit.scopes import missing, parse_scope_param

__all__ = ["narrowed", "rule_on_grant"]


def rule_on_grant(
    tx: Transaction,
    grant: Grant,
    request: TokenRequest,
    *,
    asked: tuple[ScopeName, ...],
    deps: OAuthDeps,
) -> tuple[Applicant, Ruling]:
    """Who holds `grant` now, and what of `asked` a token of it may say.

    Raises:
        InvalidGrantError: nobody may hold it any more.
        InvalidDpopProofError: a key is required here, and none was proved.
        TokenRefusalError: nothing of it may be had any more; it names the policies that say so.
    """
    server, client, context = server_of(grant, deps), request.known_client, request.context
    holder = holder_of(tx, grant, client, deps=deps, ip=context.network.ip)
    applicant = having(tx, holder, server, deps=deps)
    require_key(client, applicant.agent, server, request.jkt)
    ruling = rule(
        asked,
        applicant,
        server=server,
        catalog=deps.directory.catalog,
        decisions=deps.decisions,
        now=deps.clock.now(),
    )
    if ruling.refusal is not None:
        error = InvalidGrantError(ruling.refusal)
        raise TokenRefusalError(error, context=context, ruling=ruling)
    record_alerts(tx, ruling, context=context, resource=grant.resource)
    return applicant, ruling


def narrowed(scope: str | None, grant: Grant, deps: OAuthDeps) -> tuple[ScopeName, ...]:
    """The scopes a token request names, each within the grant; without any, all that was granted.

    Raises:
        InvalidScopeError: malformed, or more than was granted (AS-32).
    """
    asked = parse_scope_param(scope or "")
    if asked is None:
        raise InvalidScopeError("`scope` is malformed")
    asked = tuple(one for one in asked if one != "offline_access")
    beyond = missing(asked, grant.scopes, deps.directory.catalog.hierarchy)
    if beyond:
        raise InvalidScopeError(f"scope `{beyond[0]}` was not granted")
    return asked or grant.scopes
