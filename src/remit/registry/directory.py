"""The two snapshots that every decision reads, each replaced whole.

A reader gets one object or the other, never a mixture. Whoever publishes does so in the
order of reading; times are not compared, since a clock that was set back would then keep
every later revocation out.
"""

from remit.guard.ports import Standing
from remit.model import Catalog

__all__ = ["RegistryDirectory"]


class RegistryDirectory:
    """Implements `guard.ports.Directory`."""

    __slots__ = ("_catalog", "_standing")

    def __init__(self, catalog: Catalog, standing: Standing) -> None:
        self._catalog = catalog
        self._standing = standing

    @property
    def catalog(self) -> Catalog:
        """What the policy repository in force declares."""
        return self._catalog

    @property
    def standing(self) -> Standing:
        """Who may not act at the moment."""
        return self._standing

    def publish(self, standing: Standing) -> None:
        """Put `standing` in force."""
        self._standing = standing

    def replace_catalog(self, catalog: Catalog) -> None:
        """Put another version of the policy repository in force."""
        self._catalog = catalog
