"""That an account here is somebody at a provider: said by an administrator, or proved by its person.

A person proves both at once: a session whose log-in is minutes old, and a log-in at the provider made
for this. An administrator names issuer and subject. Refused: a subject that is somebody here already,
an issuer the repository does not declare, and taking away the last way in.

Source: OpenID Connect Core §5.7; NIST SP 800-63C §5.
"""

from collections.abc import Sequence
from typing import Final

from remit.audit.context import Context
from remit.audit.events import IdentityUnlinked
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.identity import provider_store, store
from remit.identity.account_door import ACCOUNT_FORM
from remit.identity.account_section import AccountEntry, AccountOffer, AccountSection
from remit.identity.accounts import require_user
from remit.identity.deps import IdentityDeps
from remit.identity.password import ABSENT_PASSWORD
from remit.identity.provider_store import ExternalIdentity
from remit.identity.providers.arrival import Arrival
from remit.identity.providers.deps import ProviderDeps
from remit.identity.providers.person import link, subject_digest
from remit.identity.providers.profile import profile_of
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.requirements import FRESH, is_fresh
from remit.identity.session import Session
from remit.identity.user import User
from remit.model import Catalog, IdentityProvider

__all__ = [
    "LINK_FORM",
    "finish_linking",
    "identity_section",
    "link_identity",
    "list_identities",
    "may_link",
    "unlink_identity",
]

LINK_FORM: Final = ACCOUNT_FORM


def may_link(session: Session, *, now: EpochSeconds) -> bool:
    """Whether the person proved who they are lately enough to open another way into the account."""
    return is_fresh(session, max_age=FRESH, now=now)


async def finish_linking(
    deps: ProviderDeps,
    provider: IdentityProvider,
    arrival: Arrival,
    *,
    user: User,
    context: Context,
) -> None:
    """Link whom `arrival` proves to the account of the person who is logged in.

    Raises:
        ProviderLoginError: it is somebody here already, is kept out, or is of another tenant.
    """
    profile = profile_of(provider, arrival.subject, arrival.claims)
    if profile.tenant != user.tenant:
        raise ProviderLoginError(Refused.OTHER_TENANT, "the identity is of another tenant")
    identity = _unseen(provider, arrival.subject, user, now=deps.people.clock.now())
    try:
        await deps.people.database.run(
            lambda tx: link(tx, identity, tenant=user.tenant, context=context)
        )
    except ConflictError as error:
        raise ProviderLoginError(Refused.LINKED_ELSEWHERE, error.detail, cause=error) from error


def link_identity(
    tx: Transaction,
    user: str,
    *,
    provider: str,
    subject: str,
    circumstances: tuple[Catalog, EpochSeconds, Context],
) -> ExternalIdentity:
    """Let the subject of the provider log in as the account named by id or user name: an administrator's word.

    Raises:
        NotFoundError: there is no such account, or no such provider in the repository.
        ConflictError: that subject is somebody here already.
    """
    catalog, now, context = circumstances
    declared = catalog.sign_in.providers.get(provider)
    if declared is None:
        raise NotFoundError("there is no such identity provider in the repository")
    found = require_user(tx, user)
    identity = _unseen(declared, subject, found, now=now)
    link(tx, identity, tenant=found.tenant, context=context)
    return identity


def unlink_identity(
    tx: Transaction, user: str, *, issuer: str, subject: str, context: Context
) -> None:
    """Let that subject log in as that account no more; the roles it gave go with it.

    Raises:
        NotFoundError: there is no such account, or it is not that subject's.
    """
    found = require_user(tx, user)
    gone = provider_store.forget_identity(tx, issuer=issuer, subject=subject, user_id=found.id)
    if gone is None:
        raise NotFoundError("this account has no such identity")
    kept = {
        name: value
        for name, value in found.attributes.items()
        if gone.attributes.get(name) != value
    }
    provider_store.set_profile(
        tx,
        found.id,
        display_name=found.display_name,
        roles=tuple(role for role in found.roles if role not in gone.roles),
        attributes=kept,
    )
    tx.record(
        IdentityUnlinked(
            context=context.with_(tenant=found.tenant),
            account_id=found.id,
            provider=gone.provider,
            subject_digest=subject_digest(issuer, subject),
        )
    )


def list_identities(tx: Transaction, user: str) -> tuple[ExternalIdentity, ...]:
    """Every identity that logs in as the account named by id or user name, oldest first.

    Raises:
        NotFoundError: there is no such account.
    """
    return provider_store.identities_of(tx, require_user(tx, user).id)


def identity_section(deps: IdentityDeps) -> AccountSection:
    """The identities of a person, on their account page."""

    async def entries(user: User) -> Sequence[AccountEntry]:
        found = await deps.database.read(lambda tx: provider_store.identities_of(tx, user.id))
        providers = deps.directory.catalog.sign_in.providers
        return [
            AccountEntry(
                id=subject_digest(one.issuer, one.subject),
                title=providers[one.provider].title if one.provider in providers else one.provider,
                facts=(one.issuer,),
            )
            for one in found
        ]

    async def remove(user: User, entry: str, context: Context) -> None:
        await deps.database.run(lambda tx: _remove_own(tx, user, entry, context))

    def offers() -> Sequence[AccountOffer]:
        return [
            AccountOffer(title=f"Connect {one.title}", path=f"/login/provider/{one.name}/link")
            for one in deps.directory.catalog.sign_in.providers.values()
        ]

    return AccountSection(
        key="identities",
        title="Other log-ins",
        about="With these you can log in here without a password of this site.",
        empty="None.",
        button="Disconnect",
        entries=entries,
        remove=remove,
        offers=offers,
    )


def _remove_own(tx: Transaction, user: User, entry: str, context: Context) -> None:
    """Unlink one of the person's own identities, unless it is their only way in."""
    own = provider_store.identities_of(tx, user.id)
    known = store.credentials_of(tx, user.username)
    has_password = known is not None and known.password_hash != ABSENT_PASSWORD
    for one in own:
        if subject_digest(one.issuer, one.subject) == entry and (has_password or len(own) > 1):
            unlink_identity(tx, user.id, issuer=one.issuer, subject=one.subject, context=context)


def _unseen(
    provider: IdentityProvider, subject: str, user: User, *, now: EpochSeconds
) -> ExternalIdentity:
    return ExternalIdentity(
        issuer=provider.issuer,
        subject=subject,
        provider=provider.name,
        user_id=user.id,
        roles=(),
        attributes={},
        created_at=now,
        last_login_at=None,
    )
