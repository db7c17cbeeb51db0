"""Who may see and change an account: its person, logged in, and for what matters lately.

Changes to how somebody logs in want a proof that is at most ten minutes old: a browser left
open must not be enough to add a passkey.

Source: NIST SP 800-63B §6.1.2.1, §7.2; OWASP ASVS 4.0 §3.7.1.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from remit.identity.browser_session import session_reader
from remit.identity.deps import IdentityDeps
from remit.identity.form_page import Endpoint, answering, read_post
from remit.identity.requirements import FRESH, is_fresh
from remit.identity.session import Session
from remit.identity.user import User
from remit.web import Params, redirect

__all__ = ["ACCOUNT_FORM", "Change", "Page", "on_get", "on_post"]

ACCOUNT_FORM = "account"

Page = Callable[[Request, User, Session], Awaitable[Response]]
Change = Callable[[Request, Params, tuple[User, Session]], Awaitable[Response]]


def on_get(deps: IdentityDeps, page: Page, *, fresh: bool = False) -> Endpoint:
    """`page`, for who is logged in; anybody else logs in first, and comes back."""
    read_session = session_reader(deps)

    async def answer(request: Request) -> Response:
        found = await read_session(request)
        if found is None or (fresh and not _is_fresh(deps, found[1])):
            return redirect(f"/login?return_to={quote(request.url.path, safe='')}")
        return await page(request, *found)

    return answering(answer)


def on_post(
    deps: IdentityDeps, change: Change, *, fresh: bool = False, back: str = "/account"
) -> Endpoint:
    """`change`, for who is logged in and sent one of our forms; anybody else logs in, and gets `back`.

    Nothing is changed for them: a form is not sent twice.
    """
    read_session = session_reader(deps)

    async def answer(request: Request) -> Response:
        params = await read_post(deps, request, ACCOUNT_FORM)
        found = await read_session(request)
        if found is None or (fresh and not _is_fresh(deps, found[1])):
            return redirect(f"/login?return_to={quote(back, safe='')}")
        return await change(request, params, found)

    return answering(answer)


def _is_fresh(deps: IdentityDeps, session: Session) -> bool:
    return is_fresh(session, max_age=FRESH, now=deps.clock.now())
