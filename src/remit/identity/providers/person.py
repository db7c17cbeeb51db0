"""Whom a provider's subject is here: found by issuer and subject, or made an account of; brought up to date.

Nothing else identifies anybody: not an e-mail address, not a user name. Who has the name of an
account that exists gets another name, never that account. At every log-in the roles and attributes
that the claims gave last time go, and those they give now come; what an administrator gave stays.

Refused: a person nobody has seen where the provider may not bring new ones, a disabled account,
and claims that would put an account in another tenant than the one it was made in.

Source: OpenID Connect Core §5.7 (only `iss` and `sub` together are stable and unique).
"""

from dataclasses import replace

from remit.audit.context import Context
from remit.audit.events import AccountUpdated, IdentityLinked
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError
from remit.identity import provider_store, store
from remit.identity.accounts import create_user
from remit.identity.password import ABSENT_PASSWORD
from remit.identity.provider_store import ExternalIdentity
from remit.identity.providers.profile import Profile
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.user import User, UserDetails
from remit.ids import UserId, digest
from remit.model import Catalog, IdentityProvider

__all__ = ["link", "person_of", "refresh_token_name", "subject_digest", "update_person"]


def person_of(
    tx: Transaction,
    provider: IdentityProvider,
    subject: str,
    profile: Profile,
    *,
    circumstances: tuple[Catalog, EpochSeconds, Context],
    sealed: str | None = None,
) -> User:
    """The account of that subject, as `profile` says it is now; `sealed` is kept to ask again with.

    Raises:
        ProviderLoginError: see the module.
        ConflictError: somebody logged in as the same new person at this moment; try again.
    """
    _, now, context = circumstances
    known = provider_store.find_identity(tx, issuer=provider.issuer, subject=subject)
    if known is None:
        return _new_person(
            tx, provider, subject, profile, circumstances=circumstances, sealed=sealed
        )
    updated = update_person(tx, known, profile, context=context)
    provider_store.note_login(
        tx,
        known,
        roles=profile.roles,
        attributes=profile.attributes,
        sealed_refresh_token=sealed,
        at=now,
    )
    return updated


def update_person(
    tx: Transaction, known: ExternalIdentity, profile: Profile, *, context: Context
) -> User:
    """The account of `known`, with what its claims give now instead of what they gave.

    Raises:
        ProviderLoginError: it is disabled, or the claims put its person in another tenant.
    """
    user = store.find_user(tx, known.user_id)
    if user is None or user.disabled_at is not None:
        raise ProviderLoginError(Refused.DISABLED, "the account is disabled")
    if user.tenant != profile.tenant:
        raise ProviderLoginError(
            Refused.OTHER_TENANT, "the claims put this person in another tenant than their account"
        )
    updated = _brought_up_to_date(user, known, profile)
    _record_changes(tx, user, updated, provider=known.provider, context=context)
    return updated


def link(tx: Transaction, identity: ExternalIdentity, *, tenant: str, context: Context) -> None:
    """Let that subject log in as that account.

    Raises:
        ConflictError: it is somebody here already.
    """
    if not provider_store.add_identity(tx, identity):
        raise ConflictError("this identity belongs to an account already")
    tx.record(
        IdentityLinked(
            context=context.with_(tenant=tenant),
            account_id=identity.user_id,
            provider=identity.provider,
            subject_digest=subject_digest(identity.issuer, identity.subject),
        )
    )


def subject_digest(issuer: str, subject: str) -> str:
    """What the log says of a subject."""
    return digest(f"{issuer}\n{subject}")


def refresh_token_name(issuer: str, subject: str) -> str:
    """What a provider's refresh token is sealed as: it opens for no other subject."""
    return f"provider-refresh:{subject_digest(issuer, subject)}"


def _new_person(
    tx: Transaction,
    provider: IdentityProvider,
    subject: str,
    profile: Profile,
    *,
    circumstances: tuple[Catalog, EpochSeconds, Context],
    sealed: str | None,
) -> User:
    _, now, context = circumstances
    if not provider.provision:
        raise ProviderLoginError(Refused.NOT_LINKED, "no account here belongs to this person")
    user = _new_account(tx, profile, circumstances=circumstances)
    identity = ExternalIdentity(
        issuer=provider.issuer,
        subject=subject,
        provider=provider.name,
        user_id=UserId(user.id),
        roles=profile.roles,
        attributes=profile.attributes,
        created_at=now,
        last_login_at=now,
        asked_at=now,
        sealed_refresh_token=sealed,
    )
    link(tx, identity, tenant=user.tenant, context=context)
    return user


def _new_account(
    tx: Transaction,
    profile: Profile,
    *,
    circumstances: tuple[Catalog, EpochSeconds, Context],
) -> User:
    """An account without a password, under the first name that nobody has."""
    catalog, now, context = circumstances
    details = UserDetails(
        username=profile.usernames[-1],
        tenant=profile.tenant,
        display_name=profile.display_name or "",
        roles=tuple(role for role in profile.roles if role in catalog.roles),
        attributes=profile.attributes,
    )
    for username in profile.usernames:
        if store.find_user_by_name(tx, username) is None:
            details = replace(details, username=username)
            break
    return create_user(
        tx, details, password_hash=ABSENT_PASSWORD, catalog=catalog, now=now, context=context
    )


def _brought_up_to_date(user: User, known: ExternalIdentity, profile: Profile) -> User:
    own_roles = tuple(role for role in user.roles if role not in known.roles)
    own = {
        name: value
        for name, value in user.attributes.items()
        if known.attributes.get(name) != value
    }
    return replace(
        user,
        display_name=profile.display_name or user.display_name,
        roles=tuple(dict.fromkeys((*own_roles, *profile.roles))),
        attributes={**own, **profile.attributes},
    )


def _record_changes(
    tx: Transaction, before: User, after: User, *, provider: str, context: Context
) -> None:
    changed = tuple(
        name
        for name, was, now in (
            ("display_name", before.display_name, after.display_name),
            ("roles", before.roles, after.roles),
            ("attributes", dict(before.attributes), dict(after.attributes)),
        )
        if was != now
    )
    if not changed:
        return
    provider_store.set_profile(
        tx,
        after.id,
        display_name=after.display_name,
        roles=after.roles,
        attributes=after.attributes,
    )
    tx.record(
        AccountUpdated(
            context=context.with_(tenant=after.tenant),
            account_id=after.id,
            changed=changed,
            reason=f"provider:{provider}",
        )
    )
