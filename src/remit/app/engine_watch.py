"""The engines in other processes follow the catalog: new ones are opened, and those it no longer declares closed.

An engine that cannot be used is said once, when the catalog that declares it comes into force: all that it would
permit is refused. Of its secret, `missing_secrets` says whether it is there.
"""

from collections.abc import Mapping

import structlog

from remit.engines import EngineConnections
from remit.model import ExternalEngine
from remit.registry import RegistryDirectory

__all__ = ["EngineWatch"]

_log = structlog.stdlib.get_logger("remit.policy")


class EngineWatch:
    """Looks at the catalog in force whenever it is told that something has changed."""

    def __init__(self, engines: EngineConnections, directory: RegistryDirectory) -> None:
        self._engines = engines
        self._directory = directory
        self._seen: Mapping[str, ExternalEngine] | None = None

    def begin(self) -> None:
        """Look now, and whenever another catalog comes into force."""
        self.look_again()
        self._directory.subscribe(self.look_again)

    def look_again(self) -> None:
        """Open and close what the catalog in force says; quick when it is the one seen before."""
        declared = self._directory.catalog.engines
        if declared is self._seen:
            return
        self._seen = declared
        for one in self._engines.hold(declared.values()):
            _log.warning(
                "not_usable",
                what=f"policy engine {one.name}",
                detail=one.detail,
                mend="correct `engines` in remit.yaml, or install the plug-in; until then its calls are refused",
            )
