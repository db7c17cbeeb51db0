"""The pages where people answer, and what a log-in has to know of them: where it leads back to, and how strongly it has to be."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.routing import Route

from remit import identity, oauth
from remit.app.parts import Parts
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_login import PAGE_LINKS, PAGE_PATHS, asked_acr, asked_anew
from remit.approvals.pages import routes
from remit.clock import Seconds
from remit.identity.providers.deps import Freshness

__all__ = ["freshness_asked", "leading_back", "open_pages"]


def open_pages(parts: Parts, people: identity.IdentityDeps) -> Sequence[Route]:
    """`/approvals`, `/access` and `/emergency`."""
    return routes(
        PageDeps(
            desk=parts.asking.desk,
            access=parts.access,
            database=parts.stores.database,
            directory=parts.directory,
            clock=parts.clock,
            site=parts.site,
            read_session=identity.session_reader(people),
            form_sources=people.form_sources,
        )
    )


def leading_back(people: identity.IdentityDeps) -> identity.IdentityDeps:
    """`people`, whose log-in leads back to these pages, too, as strongly as they ask."""
    return replace(
        people,
        required_acr=asked_acr(people.required_acr),
        return_paths=(*people.return_paths, *PAGE_PATHS),
        links=(*people.links, *PAGE_LINKS),
    )


def freshness_asked(parts: Parts) -> Freshness:
    """How long ago a log-in elsewhere may have been, by what waits there."""
    otherwise = oauth.login_freshness(parts.stores.database, parts.clock)

    async def asked(return_to: str) -> Seconds | None:
        anew = asked_anew(return_to)
        return await otherwise(return_to) if anew is None else anew

    return asked
