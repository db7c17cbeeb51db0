"""What comes after something was proved: a session, or one more step.

Another step is needed where the account has a second factor and a password alone was given,
where the policy repository requires one, and where the request that waits asks for more
(`acr_values`). So no session exists that is weaker than it has to be. Refused: an account
disabled meanwhile, a password that was changed meanwhile, and a step-up of a session that is
no longer open. Nor does an old session set up a factor: whoever found the browser open would.

Source: RFC 9470 §4; OpenID Connect Core §3.1.2.1; NIST SP 800-63B §4.2, §7.1.
"""

from dataclasses import dataclass, field

from remit.audit.context import Context
from remit.audit.events import LoginFailed
from remit.db import Transaction
from remit.identity import store
from remit.identity.deps import IdentityDeps
from remit.identity.factor_store import Factors, factors_of
from remit.identity.login import FailureReason
from remit.identity.opening import OpenedSession, Proof, begin_session
from remit.identity.requirements import FRESH, is_fresh, least_acr
from remit.identity.session import (
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    Session,
    acr_of,
    holds,
    satisfies,
    stronger,
)
from remit.identity.sign_in import BegunSignIn, Purpose, SignIn, begin_sign_in
from remit.identity.sign_in_store import add_sign_in
from remit.identity.user import User
from remit.ids import digest
from remit.web import Browser

__all__ = [
    "Asker",
    "Choices",
    "Proved",
    "advance",
    "choices_of",
    "session_to_raise",
    "was_proved_lately",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Who, by what (`amr`, in this log-in so far), and what for.

    `password_hash` is what the password, if that is the proof, was found right against.
    """

    user: User
    amr: tuple[str, ...]
    purpose: Purpose
    return_to: str | None
    password_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Where a step comes from. `required`: the `acr` that waits; `previous`: the secret of the browser's session."""

    browser: Browser
    context: Context
    required: str | None
    previous: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How the person may go on. Where `set_up` is all there is, they get a factor now."""

    passkey: bool
    one_time_password: bool
    recovery_code: bool
    set_up: bool

    @property
    def none(self) -> bool:
        """Whether this log-in leads nowhere: only one from the start does."""
        return not (self.passkey or self.one_time_password or self.recovery_code or self.set_up)

    @property
    def only_set_up(self) -> bool:
        return self.set_up and not (self.passkey or self.one_time_password or self.recovery_code)


def advance(
    tx: Transaction, deps: IdentityDeps, proved: Proved, *, asker: Asker
) -> OpenedSession | BegunSignIn | None:
    """A session if `proved` is enough, else the next step; `None` if it leads nowhere."""
    user, now = proved.user, deps.clock.now()
    present = store.find_user(tx, user.id)
    reason = None
    if present is None or present.disabled_at is not None:
        reason = FailureReason.DISABLED
    elif proved.password_hash is not None and not store.has_password_hash(
        tx, user.id, proved.password_hash
    ):
        # Who resets a password means to shut out whoever has the old one: also a log-in under way.
        reason = FailureReason.WRONG_PASSWORD
    if reason is not None:
        context = asker.context.with_(tenant=user.tenant)
        tx.record(LoginFailed(context=context, account_id=user.id, reason=reason))
        return None
    proof = _proof(tx, deps, proved, previous=asker.previous)
    if proof is None:
        return None
    if _is_enough(proof, factors_of(tx, user.id), deps, required=asker.required):
        return begin_session(
            tx, deps, user, proof=proof, previous=asker.previous, context=asker.context
        )
    begun = begin_sign_in(
        asker.browser,
        user.id,
        purpose=proved.purpose,
        amr=proved.amr,
        return_to=proved.return_to,
        now=now,
    )
    add_sign_in(tx, begun.sign_in)
    return begun


def choices_of(
    factors: Factors, sign_in: SignIn, *, required: str | None, passkeys_work: bool, lately: bool
) -> Choices:
    """How the person behind `sign_in` may go on.

    A factor may be set up by who has none yet, or has proved one already: else a password
    alone would be enough to get a second. And by nobody whose proof is old (`lately`: see
    `was_proved_lately`), as on the account page.
    """
    proved = "mfa" in sign_in.amr
    keys_only = required == ACR_PHISHING_RESISTANT
    return Choices(
        passkey=passkeys_work and factors.passkeys > 0,
        one_time_password=factors.one_time_password_since is not None and not proved,
        recovery_code=factors.recovery_codes > 0 and factors.count > 0 and not proved,
        set_up=lately and (factors.count == 0 or proved) and (passkeys_work or not keys_only),
    )


def was_proved_lately(
    tx: Transaction, deps: IdentityDeps, sign_in: SignIn, *, secret: str | None
) -> bool:
    """Whether what `sign_in` rests on is recent enough to change how the person logs in.

    A log-in is: it lasts as many minutes as that. A step-up is as old as the session it raises,
    the one with that `secret`.
    """
    if sign_in.purpose is Purpose.LOG_IN:
        return True
    session = session_to_raise(tx, deps, secret)
    return (
        session is not None
        and session.user_id == sign_in.user_id
        and is_fresh(session, max_age=FRESH, now=deps.clock.now())
    )


def session_to_raise(tx: Transaction, deps: IdentityDeps, secret: str | None) -> Session | None:
    """The session with that secret, if it is open: also one that is too weak to be used as it is."""
    if secret is None:
        return None
    session = store.session_with_digest(tx, digest(secret))
    now, idle = deps.clock.now(), deps.directory.catalog.issuer.session_idle
    return session if session is not None and holds(session, now=now, idle=idle) else None


def _proof(
    tx: Transaction, deps: IdentityDeps, proved: Proved, *, previous: str | None
) -> Proof | None:
    if proved.purpose is Purpose.LOG_IN:
        return Proof(acr=acr_of(proved.amr), amr=proved.amr)
    session = session_to_raise(tx, deps, previous)
    if session is None or session.user_id != proved.user.id:
        return None
    return Proof(
        acr=stronger(session.acr, acr_of(proved.amr)),
        amr=tuple(dict.fromkeys((*session.amr, *proved.amr))),
        provider=session.provider,
        # The older half decides: who asks for a fresh log-in (`max_age`) asks for all of it.
        auth_time=session.auth_time,
    )


def _is_enough(proof: Proof, factors: Factors, deps: IdentityDeps, *, required: str | None) -> bool:
    if proof.provider is None and proof.acr == ACR_PASSWORD and factors.count > 0:
        return False
    return satisfies(proof.acr, least_acr(required, deps.directory.catalog.sign_in))
