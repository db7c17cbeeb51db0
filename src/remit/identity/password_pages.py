"""Changing one's password: by the old one, or by a strong proof that is recent.

Tries at the old password count against the account as a log-in does. All other sessions end,
and every log-in that is under way.

Source: NIST SP 800-63B §5.1.1, §6.1.2.3; OWASP ASVS 4.0 §2.1.6, §3.3.3.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.db import Transaction
from remit.identity.account_door import ACCOUNT_FORM, on_get, on_post
from remit.identity.accounts import change_password
from remit.identity.circumstances import acting, context_of
from remit.identity.deps import IdentityDeps
from remit.identity.form_page import Problem, View, show, wait
from remit.identity.login import LoginAttempt, LoginRefused, check_password
from remit.identity.password import ABSENT_PASSWORD, MIN_LENGTH, WeakPasswordError
from remit.identity.session import ACR_MULTI_FACTOR, Session, satisfies
from remit.identity.store import has_password_hash, password_hash_of
from remit.identity.user import User
from remit.web import Params, error_page, redirect

__all__ = ["routes"]

_PATH = "/account/password"
_WRONG = Problem("Your present password is another one.", "Nothing was changed.", 403)
_DIFFERENT = Problem("The two new passwords differ.", "Type the new one twice.", 400)


def routes(deps: IdentityDeps) -> list[Route]:
    """`/account/password`."""
    pages = _PasswordPages(deps)
    return [
        Route(_PATH, on_get(deps, pages.show, fresh=True), methods=["GET"]),
        Route(_PATH, on_post(deps, pages.change, fresh=True, back=_PATH), methods=["POST"]),
    ]


class _PasswordPages:
    """The endpoints, over one `IdentityDeps`."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps

    async def show(self, request: Request, user: User, session: Session) -> Response:
        """The form."""
        if await self._password_hash(user) is None:
            return _without()
        return self._show(request, user, session)

    async def change(self, request: Request, params: Params, who: tuple[User, Session]) -> Response:
        """Keep the new password, and end every other session."""
        deps, (user, session) = self._deps, who
        stored = await self._password_hash(user)
        if stored is None:
            return _without()
        context = context_of(request, deps.site)
        if not _is_strong(session):
            attempt = LoginAttempt(
                username=user.username, password=params.one("password") or "", context=context
            )
            checked = await check_password(deps, attempt)
            if isinstance(checked, LoginRefused):
                if checked.retry_after is not None:
                    return wait(checked.retry_after, checked.reason)
                return self._show(request, user, session, problem=_WRONG)
            stored = checked.password_hash
        new = params.one("new_password") or ""
        if new != (params.one("new_password_again") or ""):
            return self._show(request, user, session, problem=_DIFFERENT)
        try:
            hashed = await deps.passwords.hash_new(new, username=user.username)
        except WeakPasswordError as error:
            problem = Problem("This cannot be your password.", f"Reason: {error.detail}.", 400)
            return self._show(request, user, session, problem=problem)
        now = deps.clock.now()

        def keep(tx: Transaction) -> bool:
            # One that was reset meanwhile stays as it was reset: this session has ended with it.
            if not has_password_hash(tx, user.id, stored):
                return False
            doing = acting(context, user)
            change_password(tx, user, password_hash=hashed, keep=session.id, now=now, context=doing)
            return True

        if not await deps.database.run(keep):
            return self._show(request, user, session, problem=_WRONG)
        return redirect("/account#password")

    async def _password_hash(self, user: User) -> str | None:
        """What the password is kept as; `None` where there is none to be changed."""
        deps = self._deps
        stored = await deps.database.read(lambda tx: password_hash_of(tx, user.id))
        has_one = deps.directory.catalog.sign_in.passwords and stored != ABSENT_PASSWORD
        return stored if has_one else None

    def _show(
        self, request: Request, user: User, session: Session, *, problem: Problem | None = None
    ) -> Response:
        values = {
            "user": user,
            "asks_old": not _is_strong(session),
            "min_length": MIN_LENGTH,
        }
        view = View(template="password.html", form=ACCOUNT_FORM, values=values, problem=problem)
        return show(self._deps, request, view)


def _is_strong(session: Session) -> bool:
    """Whether more than a password was proved; that it was lately is asked by the door."""
    return session.provider is None and satisfies(session.acr, ACR_MULTI_FACTOR)


def _without() -> Response:
    return error_page(
        404, "No password", message="This account has no password that could be changed."
    )
