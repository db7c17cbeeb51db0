"""The world of the guard, for guards inside servers, too."""

from tests.guard.conftest import world  # noqa: F401
