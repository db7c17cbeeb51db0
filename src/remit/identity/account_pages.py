"""The account page: who I am, how I log in, where I am logged in, and whom I have allowed what.

Every change is a form of its own, sent by POST from this very page; whatever an id in it names,
only what is the person's own is touched.

Source: MISSION A9; RFC 9700 §4.7; NIST SP 800-63B §6.1.2, §7.1.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import factor_store
from remit.identity.account_door import ACCOUNT_FORM, on_get, on_post
from remit.identity.account_section import AccountSection
from remit.identity.circumstances import acting, context_of
from remit.identity.deps import IdentityDeps
from remit.identity.device import device_words
from remit.identity.factor_store import Factors, Passkey
from remit.identity.form_page import View, show
from remit.identity.passkeys import passkeys_work_at
from remit.identity.password import ABSENT_PASSWORD
from remit.identity.session import ACR_PASSWORD, Session
from remit.identity.sessions import end_all_sessions, end_session, list_sessions
from remit.identity.store import password_hash_of
from remit.identity.user import User, subject_of
from remit.model import SecondFactor
from remit.web import Browser, Params, browser_of, csrf_token, error_page, redirect

__all__ = ["routes", "shown_time"]


def routes(deps: IdentityDeps) -> list[Route]:
    """`/account`, its sessions, and the lists of other rooms."""
    pages = _AccountPages(deps)
    ended, others = on_post(deps, pages.end_one), on_post(deps, pages.end_others)
    section = on_post(deps, pages.remove_entry)
    return [
        Route("/account", on_get(deps, pages.show), methods=["GET"]),
        Route("/account/sessions/end", ended, methods=["POST"]),
        Route("/account/sessions/end-others", others, methods=["POST"]),
        Route("/account/sections/{key}", section, methods=["POST"]),
    ]


def shown_time(at: EpochSeconds | None) -> dict[str, str] | None:
    """An instant as a template shows it: for people, and for machines."""
    if at is None:
        return None
    instant = datetime.fromtimestamp(at, tz=UTC)
    return {
        "text": f"{instant.day} {instant:%B %Y, %H:%M} UTC",
        "machine": f"{instant:%Y-%m-%dT%H:%M:%SZ}",
    }


class _AccountPages:
    """The endpoints, over one `IdentityDeps`."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps

    async def show(self, request: Request, user: User, session: Session) -> Response:
        """The page."""
        deps, now = self._deps, self._deps.clock.now()
        catalog = deps.directory.catalog
        idle = catalog.issuer.session_idle

        def find(
            tx: Transaction,
        ) -> tuple[tuple[Session, ...], tuple[Passkey, ...], Factors, str]:
            return (
                list_sessions(tx, user.id, now=now, idle=idle),
                factor_store.list_passkeys(tx, user.id),
                factor_store.factors_of(tx, user.id),
                password_hash_of(tx, user.id),
            )

        sessions, passkeys, factors, password_hash = await deps.database.read(find)
        values: dict[str, object] = {
            "user": user,
            "roles": subject_of(user, catalog).roles,
            "tenant": catalog.tenants[user.tenant].name if user.tenant in catalog.tenants else "",
            "logout_token": _logout_token(browser_of(request, deps.site)),
            "is_strong": session.acr != ACR_PASSWORD,
            "has_password": catalog.sign_in.passwords and password_hash != ABSENT_PASSWORD,
            "passkeys": [_shown_passkey(one) for one in passkeys],
            "passkeys_work": passkeys_work_at(deps.site),
            "code_since": shown_time(factors.one_time_password_since),
            "factors": factors,
            "second_factor_required": catalog.sign_in.second_factor is SecondFactor.REQUIRED,
            "sessions": [_shown_session(one, current=session) for one in sessions],
            "links": deps.links,
            "sections": [await _shown_section(one, user) for one in deps.sections],
        }
        return show(deps, request, View(template="account.html", form=ACCOUNT_FORM, values=values))

    async def end_one(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """End one of the person's sessions; an id that is not theirs does nothing."""
        deps, user = self._deps, who[0]
        wanted, now = params.one("session"), self._deps.clock.now()
        context = acting(context_of(request, deps.site), user)
        idle = deps.directory.catalog.issuer.session_idle

        def end(tx: Transaction) -> None:
            if any(one.id == wanted for one in list_sessions(tx, user.id, now=now, idle=idle)):
                end_session(tx, str(wanted), at=now, reason="by_person", context=context)

        await deps.database.run(end)
        return redirect("/account")

    async def end_others(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """End every session of the person but this one."""
        deps, (user, session) = self._deps, who
        context, now = acting(context_of(request, deps.site), user), deps.clock.now()
        await deps.database.run(
            lambda tx: end_all_sessions(
                tx, user.id, at=now, reason="by_person", context=context, keep=session.id
            )
        )
        return redirect("/account")

    async def remove_entry(
        self, request: Request, params: Params, who: tuple[User, Session]
    ) -> Response:
        """Take one entry out of another room's list."""
        deps, user = self._deps, who[0]
        key, entry = request.path_params["key"], params.one("entry")
        section = next((one for one in deps.sections if one.key == key), None)
        if section is None or entry is None:
            return error_page(404, "Not found", message="There is no such list on your account.")
        await section.remove(user, entry, acting(context_of(request, deps.site), user))
        return redirect(f"/account#{section.key}")


def _logout_token(browser: Browser) -> str:
    return csrf_token(browser, "logout")


def _shown_passkey(passkey: Passkey) -> dict[str, object]:
    return {
        "id": passkey.credential_id,
        "name": passkey.name,
        "is_copied": passkey.backed_up,
        "added": shown_time(passkey.created_at),
        "used": shown_time(passkey.last_used_at),
    }


def _shown_session(session: Session, *, current: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "device": device_words(session.user_agent),
        "ip": session.ip or "",
        "provider": session.provider or "",
        "began": shown_time(session.created_at),
        "seen": shown_time(session.last_seen_at),
        "is_this": session.id == current.id,
    }


async def _shown_section(section: AccountSection, user: User) -> dict[str, object]:
    entries = await section.entries(user)
    return {"section": section, "entries": entries, "offers": section.offers()}
