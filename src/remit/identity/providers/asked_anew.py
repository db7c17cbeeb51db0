"""Whether a person is still who their provider said they are: asked again when a token is refreshed.

What a provider said is good for the provider's `roles_max_age`. After that it is asked with the
refresh token that it gave at the log-in, and the person's roles and attributes become what it says
now, by the same rules as at a log-in. Refused: a person whom the provider will not speak of any more,
or whom a rule keeps out now, and one of whom it cannot be asked because it gave nothing to ask with.
Their sessions here end, so that they come back by way of the provider. A provider that does not
answer is no word about anybody: that is refused too, and nothing else happens.

What a provider gave that the repository does not declare any more is taken back.

Source: OpenID Connect Core §12.1, §12.2; RFC 6749 §6; RFC 9700 §4.14 (rotation); MISSION A7, B3.
"""

from typing import ClassVar, Final

from remit.audit.context import Context
from remit.canonical import JsonObject
from remit.db import Transaction
from remit.errors import Error
from remit.identity import provider_store
from remit.identity.provider_store import ExternalIdentity
from remit.identity.providers.claims import all_claims, id_token_of
from remit.identity.providers.departure import metadata_of
from remit.identity.providers.deps import ProviderDeps
from remit.identity.providers.id_token import Expected
from remit.identity.providers.person import refresh_token_name, update_person
from remit.identity.providers.profile import Profile, profile_of
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.providers.token_endpoint import (
    ForeignTokens,
    TokenRequestError,
    request_tokens,
    secret_of,
)
from remit.identity.sessions import end_all_sessions
from remit.identity.store import find_user
from remit.ids import UserId
from remit.model import IdentityProvider
from remit.secrets import SealBrokenError
from remit.tokens.issuer_metadata import IssuerMetadata
from remit.turns import Turns
from remit.web.fetch import Reach

__all__ = ["AskedAnew", "PersonUnconfirmedError", "ProviderSilentError"]

_SAID_NO: Final = frozenset({
    "access_denied", "consent_required", "interaction_required", "invalid_grant", "login_required",
})  # fmt: skip
"""Errors of a token endpoint that are about the person; any other is about the provider, or us."""
_NO_WORD: Final = frozenset({
    Refused.MISCONFIGURED, Refused.TOKEN_MALFORMED, Refused.UNAVAILABLE, Refused.USERINFO,
})  # fmt: skip


class PersonUnconfirmedError(Error):
    """The provider does not speak for this person any more: they have to log in anew."""

    code: ClassVar[str] = "person_unconfirmed"


class ProviderSilentError(Error):
    """The provider cannot be asked now; nothing changed."""

    code: ClassVar[str] = "provider_silent"


class AskedAnew:
    """Asks providers about people. One for a process: of one person, one question at a time."""

    __slots__ = ("_asking", "_deps")

    def __init__(self, deps: ProviderDeps) -> None:
        self._deps = deps
        self._asking = Turns[tuple[str, str]]()

    async def __call__(self, user_id: UserId, context: Context) -> None:
        """See to it that what every provider gave that person is as young as it has to be.

        Raises:
            PersonUnconfirmedError, ProviderSilentError: see the module.
        """
        for identity in await self._deps.people.database.read(
            lambda tx: provider_store.identities_of(tx, user_id)
        ):
            if identity.asked_at is None:
                continue  # nobody came in by it: it gave nothing
            try:
                await self._confirm(identity, context)
            except PersonUnconfirmedError:
                await self._end_sessions(user_id, context)
                raise

    async def _confirm(self, identity: ExternalIdentity, context: Context) -> None:
        provider = self._declared(identity)
        if provider is None:
            await self._take_back(identity, context)
            return
        if self._is_fresh(identity, provider):
            return
        # A refresh token that is rotated must not be sent twice.
        async with self._asking.of((identity.issuer, identity.subject)):
            present = await self._present(identity)
            if present is not None and not self._is_fresh(present, provider):
                await self._ask(present, provider, context)

    def _declared(self, identity: ExternalIdentity) -> IdentityProvider | None:
        declared = self._deps.people.directory.catalog.sign_in.providers.values()
        return next((one for one in declared if one.issuer == identity.issuer), None)

    def _is_fresh(self, identity: ExternalIdentity, provider: IdentityProvider) -> bool:
        """INVARIANT: with a maximal age of 0 nothing that was said before is fresh."""
        asked_at = identity.asked_at
        return asked_at is not None and (
            self._deps.people.clock.now() - asked_at < provider.roles_max_age
        )

    async def _present(self, identity: ExternalIdentity) -> ExternalIdentity | None:
        """The identity as it is now; `None` where it was unlinked, and what it gave has gone."""

        def read(tx: Transaction) -> ExternalIdentity | None:
            mine = provider_store.identities_of(tx, identity.user_id)
            same = (identity.issuer, identity.subject)
            return next((one for one in mine if (one.issuer, one.subject) == same), None)

        return await self._deps.people.database.read(read)

    async def _ask(
        self, identity: ExternalIdentity, provider: IdentityProvider, context: Context
    ) -> None:
        try:
            metadata = await metadata_of(self._deps, provider)
            tokens = await self._refreshed(identity, provider, metadata)
            if tokens is None:
                return
            profile = profile_of(
                provider, identity.subject, await self._claims(identity, provider, metadata, tokens)
            )
            await self._deps.people.database.run(
                lambda tx: self._keep(tx, identity, profile, context)
            )
        except ProviderLoginError as error:
            if error.reason in _NO_WORD:
                raise ProviderSilentError(
                    f"the identity provider `{provider.name}` cannot be asked now", cause=error
                ) from error
            raise _unconfirmed(provider, cause=error) from error

    async def _refreshed(
        self, identity: ExternalIdentity, provider: IdentityProvider, metadata: IssuerMetadata
    ) -> ForeignTokens | None:
        """New tokens of the provider; `None` where another process was given them a moment ago.

        What it may be asked with the next time is kept before anything else is looked at.
        """
        name = refresh_token_name(identity.issuer, identity.subject)
        box, database = self._deps.people.box, self._deps.people.database
        if identity.sealed_refresh_token is None:
            raise _unconfirmed(provider)
        try:
            token = box.open(name, identity.sealed_refresh_token).decode()
            own = secret_of(provider.client_id, provider.secret, self._deps.resolve_secret)
            tokens = await request_tokens(
                self._deps.post_form,
                metadata,
                own,
                fields={"grant_type": "refresh_token", "refresh_token": token},
                reach=Reach(private=provider.private_network),
            )
        except SealBrokenError as error:  # the master key was changed: nothing to ask with
            raise _unconfirmed(provider, cause=error) from error
        except TokenRequestError as error:
            if error.reason not in _SAID_NO:
                raise ProviderSilentError(
                    f"the identity provider `{provider.name}` cannot be asked now", cause=error
                ) from error
            if not await database.run(
                lambda tx: provider_store.replace_refresh_token(tx, identity, sealed=None)
            ):
                return None  # it was rotated: another process has its answer, or the person came
            raise _unconfirmed(provider, cause=error) from error
        if tokens.refresh_token is not None:
            sealed = box.seal(name, tokens.refresh_token.encode())
            await database.run(
                lambda tx: provider_store.replace_refresh_token(tx, identity, sealed=sealed)
            )
        return tokens

    async def _claims(
        self,
        identity: ExternalIdentity,
        provider: IdentityProvider,
        metadata: IssuerMetadata,
        tokens: ForeignTokens,
    ) -> JsonObject:
        """What the provider says of that `sub` now.

        A refresh may bring no ID token (§12.2); then the userinfo endpoint has to speak.
        """
        known: JsonObject = {"sub": identity.subject}
        if tokens.id_token is not None:
            expected = Expected(
                issuer=provider.issuer,
                client_id=provider.client_id,
                algorithms=metadata.signing_algorithms,
                nonce_digest=None,
                asked_at=self._deps.people.clock.now(),
                max_age=None,
                access_token=tokens.access_token,
            )
            token = await id_token_of(
                self._deps, provider, metadata, tokens.id_token, expected=expected
            )
            if token.subject != identity.subject:
                raise ProviderLoginError(Refused.ID_TOKEN, "the id token is of somebody else")
            known = token.claims
        elif metadata.userinfo_endpoint is None:
            raise ProviderLoginError(Refused.TOKEN_MALFORMED, "the provider says nothing of them")
        return await all_claims(
            self._deps,
            provider,
            metadata.userinfo_endpoint,
            known=known,
            access_token=tokens.access_token,
        )

    def _keep(
        self, tx: Transaction, identity: ExternalIdentity, profile: Profile, context: Context
    ) -> None:
        """What is said now instead of what was said: of the row as it is, which a log-in may have changed."""
        present = provider_store.find_identity(tx, issuer=identity.issuer, subject=identity.subject)
        if present is None or present.user_id != identity.user_id:
            return
        update_person(tx, present, profile, context=context)
        provider_store.note_answer(
            tx,
            present,
            roles=profile.roles,
            attributes=profile.attributes,
            at=self._deps.people.clock.now(),
        )

    async def _take_back(self, identity: ExternalIdentity, context: Context) -> None:
        if not identity.roles and not identity.attributes:
            return

        def take(tx: Transaction) -> None:
            user = find_user(tx, identity.user_id)
            if user is not None and user.disabled_at is None:
                nothing = Profile(
                    tenant=user.tenant, usernames=(), display_name=None, roles=(), attributes={}
                )
                self._keep(tx, identity, nothing, context)

        await self._deps.people.database.run(take)

    async def _end_sessions(self, user_id: UserId, context: Context) -> None:
        """Who comes back has to come by way of the provider: a session here would not ask it."""
        now = self._deps.people.clock.now()
        await self._deps.people.database.run(
            lambda tx: end_all_sessions(
                tx, user_id, at=now, reason="person_unconfirmed", context=context
            )
        )


def _unconfirmed(
    provider: IdentityProvider, *, cause: BaseException | None = None
) -> PersonUnconfirmedError:
    return PersonUnconfirmedError(
        f"the identity provider `{provider.name}` has to be asked again, by a log-in", cause=cause
    )
