"""Whether an engine is there, told without asking it anything: for `remit doctor`.

No secret is sent, so any status is a sign of life. Of a plug-in it is only told whether it can be loaded.
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from remit.engines.connections import open_engine
from remit.engines.endpoint import Endpoint
from remit.model import EngineKind, ExternalEngine
from remit.policy.port import EngineSettings

__all__ = ["probe"]

_PLACES: Final[Mapping[EngineKind, str]] = MappingProxyType(
    {
        EngineKind.CERBOS: "/_cerbos/health",
        EngineKind.AUTHZEN: "/.well-known/authzen-configuration",
    }
)
_PATIENCE: Final = 3.0


async def probe(declared: ExternalEngine, *, elapsed: Callable[[], float] = time.monotonic) -> int:
    """How many milliseconds it took to answer.

    Raises:
        EngineUnavailableError: it cannot be opened, or nobody answers.
    """
    began = elapsed()
    engine = open_engine(declared, _no_secret, plugins=True)
    await engine.close()
    place = _PLACES.get(declared.kind)
    if place is None:
        return 0
    settings = EngineSettings(
        name=declared.name, url=declared.url, timeout=_PATIENCE, options=declared.options
    )
    endpoint = Endpoint(settings, place)
    try:
        await endpoint.status()
    finally:
        endpoint.close()
    return int((elapsed() - began) * 1000)


def _no_secret(reference: str) -> str:
    raise LookupError(reference)
