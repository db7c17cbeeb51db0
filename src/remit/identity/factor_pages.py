"""Setting up and taking away second factors of an account, by its person.

All of it wants a recent proof of who they are. Recovery codes are shown on the answer to the
form that made them, and never again.

Source: NIST SP 800-63B §6.1.2, §5.1.2; WebAuthn Level 3 §7.1.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.audit.context import Context
from remit.db import Transaction
from remit.errors import ConflictError
from remit.identity import factor_store
from remit.identity.account_door import ACCOUNT_FORM, Change, on_get, on_post
from remit.identity.circumstances import acting, context_of
from remit.identity.deps import IdentityDeps
from remit.identity.enrolment import (
    NOT_CONFIRMED,
    NOT_MADE,
    Enrolling,
    confirmed_secret,
    new_key,
    offer_values,
    passkey_name,
)
from remit.identity.factors import (
    Enrolled,
    disable_one_time_password,
    enrol_one_time_password,
    enrol_passkey,
    remove_passkey,
)
from remit.identity.form_page import Problem, View, show, wait
from remit.identity.login import LoginRefused
from remit.identity.passkeys import PasskeyRefusedError, passkeys_work_at
from remit.identity.recovery_codes import issue_recovery_codes, new_recovery_codes
from remit.identity.session import Session
from remit.identity.user import User
from remit.web import Params, browser_of, redirect

__all__ = ["routes"]

_PASSKEY = "/account/passkeys/new"
_CODE = "/account/one-time-password"


def routes(deps: IdentityDeps) -> list[Route]:
    """`/account/passkeys`, `/account/one-time-password`, `/account/recovery-codes`."""
    pages = _FactorPages(deps)

    def post(path: str, change: Change, *, back: str = "/account") -> Route:
        return Route(path, on_post(deps, change, fresh=True, back=back), methods=["POST"])

    return [
        Route(_PASSKEY, on_get(deps, pages.offer_passkey, fresh=True), methods=["GET"]),
        post("/account/passkeys", pages.add_passkey, back=_PASSKEY),
        post("/account/passkeys/remove", pages.remove_passkey),
        Route(_CODE, on_get(deps, pages.offer_code, fresh=True), methods=["GET"]),
        post(_CODE, pages.add_code, back=_CODE),
        post(f"{_CODE}/remove", pages.remove_code),
        post("/account/recovery-codes", pages.renew_recovery_codes),
    ]


class _FactorPages:
    """The endpoints, over one `IdentityDeps`."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps

    async def offer_passkey(self, request: Request, user: User, _: Session) -> Response:
        """The page that makes a passkey."""
        return await self._offer(request, user, "new_passkey.html")

    async def offer_code(self, request: Request, user: User, _: Session) -> Response:
        """The page that sets up one-time passwords."""
        return await self._offer(request, user, "new_one_time_password.html")

    async def add_passkey(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """Keep the passkey that the browser made."""
        deps, user = self._deps, who[0]
        now, context = deps.clock.now(), self._context(request, user)
        try:
            made = new_key(deps, params, user, browser=browser_of(request, deps.site))
        except PasskeyRefusedError:
            return await self._offer(request, user, "new_passkey.html", problem=NOT_MADE)

        def keep(tx: Transaction) -> Enrolled:
            made.spend(tx)
            name = passkey_name(params)
            return enrol_passkey(tx, user, made.key, name=name, now=now, context=context)

        return self._enrolled(request, await deps.database.run(keep))

    async def remove_passkey(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """Forget a passkey."""
        deps, user = self._deps, who[0]
        credential_id, context = params.one("passkey") or "", self._context(request, user)
        sign_in = deps.directory.catalog.sign_in
        await deps.database.run(
            lambda tx: remove_passkey(tx, user, credential_id, sign_in=sign_in, context=context)
        )
        return redirect("/account#passkeys")

    async def add_code(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """Keep the secret that was offered, if the code typed is of it."""
        deps, user = self._deps, who[0]
        now, context = deps.clock.now(), self._context(request, user)
        confirmed = await confirmed_secret(deps, params, user, context=context)
        if isinstance(confirmed, LoginRefused):
            if confirmed.retry_after is not None:
                return wait(confirmed.retry_after, confirmed.reason)
            return await self._offer(
                request,
                user,
                "new_one_time_password.html",
                offer=params.one("offer"),
                problem=NOT_CONFIRMED,
            )
        enrolled = await deps.database.run(
            lambda tx: enrol_one_time_password(tx, user, confirmed, now=now, context=context)
        )
        return self._enrolled(request, enrolled)

    async def remove_code(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """Forget the secret of the codes."""
        deps, user = self._deps, who[0]
        sign_in, context = deps.directory.catalog.sign_in, self._context(request, user)
        await deps.database.run(
            lambda tx: disable_one_time_password(tx, user, sign_in=sign_in, context=context)
        )
        return redirect("/account#codes")

    async def renew_recovery_codes(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """Make new recovery codes; the old ones are void."""
        deps, user = self._deps, who[0]
        now, context, codes = deps.clock.now(), self._context(request, user), new_recovery_codes()

        def renew(tx: Transaction) -> None:
            if factor_store.factors_of(tx, user.id).count == 0:
                raise ConflictError("there is no second factor that recovery codes could stand for")
            issue_recovery_codes(tx, user.id, codes, now=now, context=context)

        await deps.database.run(renew)
        return self._enrolled(request, Enrolled(recovery_codes=codes))

    async def _offer(
        self,
        request: Request,
        user: User,
        template: str,
        *,
        offer: str | None = None,
        problem: Problem | None = None,
    ) -> Response:
        deps = self._deps
        known = await deps.database.read(lambda tx: factor_store.list_passkeys(tx, user.id))
        enrolling = Enrolling(user=user, browser=browser_of(request, deps.site), known=known)
        view = View(
            template=template,
            form=ACCOUNT_FORM,
            values=offer_values(deps, enrolling, offer=offer),
            problem=problem,
            scripts=passkeys_work_at(deps.site),
        )
        return show(deps, request, view)

    def _enrolled(self, request: Request, enrolled: Enrolled) -> Response:
        if not enrolled.recovery_codes:
            return redirect("/account")
        values = {"codes": enrolled.recovery_codes, "onward": "/account", "is_log_in": False}
        view = View(template="recovery_codes.html", form=ACCOUNT_FORM, values=values)
        return show(self._deps, request, view)

    def _context(self, request: Request, user: User) -> Context:
        return acting(context_of(request, self._deps.site), user)
