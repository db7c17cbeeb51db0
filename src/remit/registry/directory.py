"""The snapshots that every decision reads, each replaced whole.

A reader gets one object or the other, never a mixture. Whoever publishes does so in the
order of reading; times are not compared, since a clock that was set back would then keep
every later revocation out. Whoever subscribed is told of a change before `publish` returns: what
is under way on the strength of the old standing ends with it, and not with the next request.
"""

from collections.abc import Callable
from dataclasses import replace

from remit.guard.definitions import NO_DEFINITIONS, Definitions
from remit.guard.ports import Standing
from remit.model import Catalog

__all__ = ["RegistryDirectory"]


class RegistryDirectory:
    """Implements `guard.ports.Directory`."""

    __slots__ = ("_catalog", "_definitions", "_standing", "_told")

    def __init__(self, catalog: Catalog, standing: Standing) -> None:
        self._catalog = catalog
        self._standing = standing
        self._definitions = NO_DEFINITIONS
        self._told: list[Callable[[], None]] = []

    @property
    def catalog(self) -> Catalog:
        """What the policy repository in force declares."""
        return self._catalog

    @property
    def standing(self) -> Standing:
        """Who may not act at the moment."""
        return self._standing

    @property
    def definitions(self) -> Definitions:
        """What was admitted of the servers' things, and what waits for review."""
        return self._definitions

    def publish_definitions(self, definitions: Definitions) -> None:
        """Put `definitions` in force."""
        self._definitions = definitions

    def publish(self, standing: Standing) -> None:
        """Put `standing` in force."""
        before, self._standing = self._standing, standing
        if replace(before, as_of=standing.as_of) != standing:
            self._tell()

    def replace_catalog(self, catalog: Catalog) -> None:
        """Put another version of the policy repository in force."""
        self._catalog = catalog
        self._tell()

    def subscribe(self, told: Callable[[], None]) -> None:
        """Call `told`, on the thread that publishes, whenever either snapshot says something new."""
        self._told.append(told)

    def _tell(self) -> None:
        for told in self._told:
            told()
