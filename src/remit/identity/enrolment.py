"""Setting up a second factor, as the pages that offer it share it.

The secret of one-time passwords is not kept before a code has shown that the app has it: it
travels sealed in the form. A new passkey answers a challenge made for this account.

Source: NIST SP 800-63B §6.1.2; WebAuthn Level 3 §7.1; RFC 6238 §5.1.
"""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.audit.events import LoginFailed
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError
from remit.identity.challenge import challenge_digest, expiry_of, new_challenge
from remit.identity.deps import IdentityDeps
from remit.identity.factor_store import Passkey
from remit.identity.form_page import Problem
from remit.identity.login import FailureReason, LoginRefused
from remit.identity.one_time_password import (
    ConfirmedSecret,
    address_of,
    confirm_secret,
    new_one_time_password,
    offer_secret,
    offered_secret,
    picture_of,
)
from remit.identity.passkeys import (
    NewKey,
    PasskeyRefusedError,
    creation_options,
    passkeys_work_at,
    read_answer,
    verify_creation,
)
from remit.identity.second_factor import count_code, forgive_code
from remit.identity.sign_in_store import spend_challenge
from remit.identity.user import User
from remit.web import Browser, Params

__all__ = [
    "NOT_CONFIRMED",
    "NOT_MADE",
    "Enrolling",
    "MadeKey",
    "confirmed_secret",
    "creation_purpose",
    "new_key",
    "offer_values",
    "passkey_name",
]

NOT_CONFIRMED = Problem(
    "That code does not match.",
    "Check that the app shows the entry you just added, and that the clock of the phone is right.",
    403,
)
NOT_MADE = Problem("The passkey could not be added.", "Nothing was changed. Please try again.", 403)

_MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling:
    """Who sets up a factor, in which browser; passkeys that are `known` are not made again."""

    user: User
    browser: Browser
    known: tuple[Passkey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A verified new key, and the challenge it answered."""

    key: NewKey
    challenge: str
    expires_at: EpochSeconds

    def spend(self, tx: Transaction) -> None:
        """Spend the challenge.

        Raises:
            ConflictError: it was spent before.
        """
        if not spend_challenge(tx, self.challenge, expires_at=self.expires_at):
            raise ConflictError("this passkey was added already")


def offer_values(
    deps: IdentityDeps, enrolling: Enrolling, *, offer: str | None = None
) -> dict[str, object]:
    """What a page that offers to set up a factor shows; an `offer` that was made is kept."""
    user, now, issuer = enrolling.user, deps.clock.now(), deps.directory.catalog.issuer.name
    secret = None if offer is None else offered_secret(deps.box, user.id, offer, now=now)
    if secret is None or offer is None:
        secret = new_one_time_password()
        offer = offer_secret(deps.box, user.id, secret, now=now)
    options = ""
    if works := passkeys_work_at(deps.site):
        challenge = new_challenge(
            deps.box, creation_purpose(user), browser=enrolling.browser, now=now
        )
        options = creation_options(
            deps.site, user, issuer=issuer, challenge=challenge, known=enrolling.known
        )
    return {
        "offer": offer,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": picture_of(address_of(secret, username=user.username, issuer=issuer)),
        "passkeys": works,
        "options": options,
    }


async def confirmed_secret(
    deps: IdentityDeps, params: Params, user: User, *, context: Context
) -> ConfirmedSecret | LoginRefused:
    """The secret that was offered, if the code that was typed is of it. Tries are counted."""
    now = deps.clock.now()
    secret = offered_secret(deps.box, user.id, params.one("offer") or "", now=now)
    code = params.one("code") or ""
    confirmed = (
        None if secret is None else confirm_secret(deps.box, user.id, secret, code=code, now=now)
    )

    def count(tx: Transaction) -> ConfirmedSecret | LoginRefused:
        resting = count_code(tx, user.id, now=now)
        if resting is not None:
            return LoginRefused(reason=FailureReason.CODES_RESTING, retry_after=resting)
        if confirmed is None:
            known = context.with_(tenant=user.tenant)
            reason = FailureReason.WRONG_CODE
            tx.record(LoginFailed(context=known, account_id=user.id, reason=reason))
            return LoginRefused(reason=reason)
        forgive_code(tx, user.id)
        return confirmed

    return await deps.database.run(count)


def creation_purpose(user: User) -> str:
    """What a challenge for a new passkey of this account is for."""
    return f"create:{user.id}"


def new_key(deps: IdentityDeps, params: Params, user: User, *, browser: Browser) -> MadeKey:
    """The key that the browser says was made, verified.

    Raises:
        PasskeyRefusedError: it answers no challenge of ours for this account, or does not hold.
    """
    answer = read_answer(params.one("credential"))
    purpose, now = creation_purpose(user), deps.clock.now()
    expires_at = expiry_of(deps.box, answer.challenge, purpose, browser=browser, now=now)
    if browser.is_new or expires_at is None:
        raise PasskeyRefusedError("the challenge is not one of ours, or too old")
    key = verify_creation(deps.site, answer)
    return MadeKey(key=key, challenge=challenge_digest(answer.challenge), expires_at=expires_at)


def passkey_name(params: Params) -> str:
    """What the person calls the passkey."""
    typed = "".join(one for one in params.one("name") or "" if one.isprintable())
    return typed.strip()[:_MAX_NAME] or "Passkey"
