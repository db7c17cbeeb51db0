"""An access token of an issuer that the repository trusts with exchange: whose it is, and for which server.

The person is who logged in here through the declared provider with that `sub`; nobody is made
an account of. Refuses a client that did not authenticate or is not among those named, a token
for another audience than those declared, one that has expired or is bound to a key nobody
here can check, one that says more than whose it is (an actor, who may act, authorization
details, an organisation), a server that is not among those named, and a person who is not known.

Source: RFC 8693 §2.1; RFC 9068 §4.
"""

from dataclasses import dataclass

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import find_user, subject_of
from remit.identity.provider_store import find_identity
from remit.ids import ScopeName
from remit.model import PersonTrust, Server, TrustedIssuer
from remit.oauth.assertions.assertion import Assertion
from remit.oauth.assertions.trusted_issuer import Purpose, believe, trusted_issuer
from remit.oauth.authorization_request import require_scopes
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidTargetError,
    UnauthorizedClientError,
)
from remit.oauth.exchange_request import named_server
from remit.oauth.token_request import TokenRequest
from remit.policy import Subject

# Each narrows what the token is good for there, or says who else is behind it. To pass over one
# would make a wider token, or one whose actors the log does not name. `tenant` is refused as for
# an identity assertion: such an issuer may give one `sub` to two people of two tenants. The `tid`
# of Entra ID is not: it stands in every token of theirs, and the issuer there is of one tenant.
_NOT_UNDERSTOOD = ("act", "may_act", "authorization_details", "tenant")

__all__ = ["Upstream", "upstream_asked", "upstream_person", "upstream_token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What a trusted issuer said, believed."""

    issuer: TrustedIssuer
    trust: PersonTrust
    assertion: Assertion
    server: Server

    @property
    def until(self) -> EpochSeconds:
        return self.assertion.expires_at

    @property
    def origin(self) -> str:
        """Who vouched, for whom and by what, as one line: no grant of an assertion says the same."""
        return canonical_text([self.assertion.issuer, self.assertion.subject, "exchange"])


async def upstream_token(deps: OAuthDeps, request: TokenRequest, raw: str) -> Upstream:
    """The token, believed, and the server it is to be exchanged for.

    Raises:
        InvalidRequestError, InvalidTargetError, UnauthorizedClientError: see the module.
        TemporarilyUnavailableError: the issuer's keys cannot be had at the moment.
    """
    client = request.known_client
    try:
        issuer = trusted_issuer(deps, raw, Purpose.EXCHANGE)
        trust = issuer.exchange
        if trust is None or not client.is_confidential:
            raise UnauthorizedClientError("this exchange takes a client that authenticates")
        if trust.clients and client.client_id not in trust.clients:
            raise UnauthorizedClientError("this client may not exchange tokens of that issuer")
        assertion = await believe(
            deps,
            raw,
            issuer,
            purpose=Purpose.EXCHANGE,
            audiences=trust.audiences,
            longest=issuer.max_lifetime,
        )
    except InvalidGrantError as error:
        # RFC 8693 §2.2.2: whatever is wrong with a subject token is `invalid_request`.
        raise InvalidRequestError(f"the subject token will not do: {error.detail}") from error
    if "cnf" in assertion.claims:
        raise InvalidRequestError("the subject token is bound to a key of another server's")
    for name in _NOT_UNDERSTOOD:
        if name in assertion.claims:
            raise InvalidRequestError(f"the claim `{name}` of the subject token is not understood")
    server = named_server(request.form, deps.directory.catalog, deps.public_url)
    if server is None:
        raise InvalidTargetError("`resource` is required: name the MCP server")
    if trust.servers and server.name not in trust.servers:
        raise InvalidTargetError("tokens of that issuer are not exchanged for this server")
    return Upstream(issuer=issuer, trust=trust, assertion=assertion, server=server)


def upstream_asked(deps: OAuthDeps, request: TokenRequest, server: Server) -> tuple[ScopeName, ...]:
    """The scopes asked for, else the server's baseline: the issuer's own scopes mean nothing here."""
    return require_scopes(request.form.one("scope"), server, deps.directory.catalog)


def upstream_person(tx: Transaction, deps: OAuthDeps, upstream: Upstream) -> Subject:
    """The person that the token is about, as they are now.

    Raises:
        InvalidRequestError: nobody who is known here, or who may act.
    """
    catalog = deps.directory.catalog
    provider = catalog.sign_in.providers.get(upstream.trust.provider)
    identity = (
        None
        if provider is None
        else find_identity(tx, issuer=provider.issuer, subject=upstream.assertion.subject)
    )
    user = None
    if provider is not None and identity is not None and identity.provider == provider.name:
        user = find_user(tx, identity.user_id)
    if user is None or user.disabled_at is not None:
        raise InvalidRequestError("the person that the subject token names is not known here")
    return subject_of(user, catalog)
