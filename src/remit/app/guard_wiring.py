"""The door of guards inside servers, and what it needs of the other rooms."""

from functools import partial

from starlette.routing import Route

from remit import oauth
from remit.api.guards import ElevationAnswers, GuardDeps, HistoryAnswers, guard_routes
from remit.app.parts import Parts
from remit.clock import Seconds
from remit.model import Server

__all__ = ["open_guard_door"]


def open_guard_door(parts: Parts, authorization: oauth.OAuthDeps) -> list[Route]:
    """The routes at which guards fetch snapshots and deliver their records."""
    stores = parts.stores
    return guard_routes(
        GuardDeps(
            database=stores.database,
            directory=parts.directory,
            decisions=parts.decisions,
            keys=parts.keys,
            redactor=stores.redactor,
            clock=parts.clock,
            site=parts.site,
            stopping=parts.stopping,
            lease=Seconds(parts.settings.guard_lease),
            history=HistoryAnswers(
                directory=parts.directory,
                verifier=parts.verifier,
                past=parts.past,
                clock=parts.clock,
                public_url=parts.site.public_url,
            ),
            elevations=ElevationAnswers(
                directory=parts.directory,
                verifier=parts.verifier,
                elevations=parts.asking.elevations,
                clock=parts.clock,
                public_url=parts.site.public_url,
                max_age=Seconds(parts.settings.standing_max_age),
            ),
            for_guards=partial(oauth.server_endpoint, authorization, secret_of=_of_its_guard),
        )
    )


def _of_its_guard(server: Server) -> str | None:
    return server.guard_secret
