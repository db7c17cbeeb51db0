"""Which agents a bundle is tried on: a share of them, the same in every process, and others for the next bundle.

Keyed, so that nobody can choose an agent's name to be in it or out of it. What may differ is judged before: what is
everybody's at once cannot be tried on some.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final

from remit.errors import Error
from remit.ids import AgentId
from remit.model import Catalog, Mode, Server

__all__ = ["NotTriableError", "is_in_share", "require_triable"]

_BUCKETS: Final = 10_000


class NotTriableError(Error):
    """The bundle changes what cannot be tried on some agents only; it comes into force whole, or not."""

    code: ClassVar[str] = "not_triable"


def is_in_share(key: bytes, bundle: str, agent: AgentId, share: int) -> bool:
    """Whether `agent` is among the `share` percent that `bundle` is tried on."""
    drawn = hmac.new(key, f"{bundle}\n{agent}".encode(), hashlib.sha256).digest()
    return int.from_bytes(drawn[:8], "big") % _BUCKETS < share * (_BUCKETS // 100)


def require_triable(old: Catalog, new: Catalog) -> None:
    """Pass when everything in which `new` differs can be decided agent by agent.

    Raises:
        NotTriableError: it changes what tokens, log-ins or the ways to servers rest on; `detail` names it.
    """
    whole = list(_whole(old, new))
    if whole:
        raise NotTriableError(
            f"it changes what cannot be tried on some agents only: {', '.join(whole)}; apply it without a trial"
        )


def _whole(old: Catalog, new: Catalog) -> Iterator[str]:
    compared = {
        "issuer": (old.issuer, new.issuer),
        "tenants": (
            {name: (one.name, one.time_zone) for name, one in old.tenants.items()},
            {name: (one.name, one.time_zone) for name, one in new.tenants.items()},
        ),
        "environments": (old.environments, new.environments),
        "sign-in": (old.sign_in, new.sign_in),
        "trust": (old.trust, new.trust),
        "registration": (old.registration, new.registration),
        "engines": (old.engines, new.engines),
        "history": (old.history, new.history),
        "deployment": (old.deployment, new.deployment),
    }
    yield from (name for name, (before, after) in compared.items() if before != after)
    for name in sorted({*old.servers, *new.servers}):
        before, after = old.servers.get(name), new.servers.get(name)
        if before is None or after is None or _identity(before) != _identity(after):
            yield f"server `{name}`"


def _identity(server: Server) -> Server:
    """What a server is and how it is reached, without what its things take."""
    return replace(
        server,
        tools={},
        resources=(),
        prompts={},
        baseline_scopes=(),
        description="",
        engine=None,
        mode=Mode.ENFORCE,
    )
