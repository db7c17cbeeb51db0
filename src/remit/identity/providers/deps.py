"""What log-in through other providers needs, handed in once by the application."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from remit.clock import Seconds
from remit.identity.deps import IdentityDeps
from remit.tokens.published import Published
from remit.tokens.published_keys import PublishedKeys
from remit.web.fetch import Answer, Reach

__all__ = ["Freshness", "PostForm", "ProviderDeps"]

Freshness = Callable[[str], Awaitable[Seconds | None]]
"""How long ago a person may have proved who they are, to be of use at a given `return_to`."""


class PostForm(Protocol):
    """How a form is sent to another host (`DocumentFetcher.post_form`)."""

    async def __call__(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        authorization: str | None = None,
        reach: Reach,
    ) -> Answer: ...


async def _however_long_ago(_: str) -> Seconds | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDeps:
    """Everything these pages may reach.

    `resolve_secret` is the secret that `env:NAME` or `file:PATH` names. `freshness`: asked of the
    request that waits at `return_to`, never of the browser; 0 asks for a log-in anew.
    """

    people: IdentityDeps
    published: Published
    keys: PublishedKeys
    post_form: PostForm
    resolve_secret: Callable[[str], str]
    freshness: Freshness = _however_long_ago
