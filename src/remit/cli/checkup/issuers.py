"""Whether everybody whose word is taken can be asked for it: identity providers, issuers of trust.yaml, third parties.

Each is asked as the server would ask it, with the same limits on where a request may go, all at
once, for a few seconds at most. Keys that stand in the repository need nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from remit.cli.checkup.finding import Finding, down, fine
from remit.clock import Clock
from remit.errors import Error
from remit.model import Catalog, TrustedIssuer
from remit.tokens.issuer_metadata import discover_authorization_server, discover_openid_provider
from remit.tokens.published import Published
from remit.tokens.published_keys import FetchWithin, KeyLocation, PublishedKeys
from remit.web.fetch import DocumentFetcher, FetchLimits, Reach

__all__ = ["examine_issuers"]

_PATIENCE: Final = 3.0


async def examine_issuers(
    catalog: Catalog, clock: Clock, *, fetch: FetchWithin | None = None
) -> list[Finding]:
    """What each publishes can be fetched, or cannot. `fetch` is how; ours unless a test has another."""
    fetch = fetch or DocumentFetcher(FetchLimits(timeout=_PATIENCE, at_once=64)).fetch
    published, keys = Published(fetch, clock), PublishedKeys(fetch, clock)
    asked: list[Awaitable[Finding]] = []
    for provider in catalog.sign_in.providers.values():
        reach = Reach(private=provider.private_network)
        asking = partial(discover_openid_provider, published, provider.issuer, reach=reach)
        mend = f"see that `{provider.issuer}` answers, or correct it in people.yaml"
        asked.append(_ask(f"provider {provider.name}", provider.issuer, asking, mend=mend))
    for issuer in catalog.trust.issuers.values():
        if issuer.jwks is None:
            asking_keys = partial(keys.keys, _location(issuer))
            place = issuer.jwks_uri or issuer.issuer
            mend = f"see that `{place}` answers, or correct it in trust.yaml"
            asked.append(_ask(f"issuer {issuer.name}", place, asking_keys, mend=mend))
    for server in catalog.servers.values():
        if server.connection is not None:
            party = server.connection
            reach = Reach(private=party.private_network)
            asking = partial(discover_authorization_server, published, party.issuer, reach=reach)
            mend = f"see that `{party.issuer}` answers, or correct it in servers/{server.name}.yaml"
            asked.append(_ask(f"third party of {server.name}", party.issuer, asking, mend=mend))
    return list(await asyncio.gather(*asked))


async def _ask(
    about: str, place: str, asking: Callable[[], Awaitable[object]], *, mend: str
) -> Finding:
    """One of them, within the time limit."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await asking()
    except TimeoutError:
        return down(about, f"`{place}` does not answer within {_PATIENCE:.0f} s", mend=mend)
    except Error as error:
        return down(about, f"`{place}`: {error.detail}", mend=mend)
    except OSError as error:
        return down(about, f"`{place}`: {error.strerror or error}", mend=mend)
    return fine(about, f"`{place}` answers")


def _location(issuer: TrustedIssuer) -> KeyLocation:
    reach = Reach(private=issuer.private_network, ca_file=issuer.ca_file)
    return KeyLocation(issuer=issuer.issuer, jwks_uri=issuer.jwks_uri, reach=reach)
