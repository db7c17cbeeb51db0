"""What can be wrong with an answer. Each has its own code; `detail` is safe to show to whoever gave it."""

from typing import ClassVar

from remit.clock import Seconds
from remit.errors import ConflictError, Error, NotFoundError

__all__ = [
    "AlreadyAnsweredError",
    "NotADeputyError",
    "NotAskedError",
    "NotYoursError",
    "RequestEndedError",
    "RequestExpiredError",
    "ShownChangedError",
    "StrongerAuthenticationNeededError",
]


class NotYoursError(NotFoundError):
    """There is no such request, or whoever looks may not know of it: in the same words."""

    code: ClassVar[str] = "not_found"

    def __init__(self) -> None:
        super().__init__("there is no such request")


class NotAskedError(Error):
    """They may see it, and it is not for them to say."""

    code: ClassVar[str] = "not_asked"


class StrongerAuthenticationNeededError(Error):
    """They have to prove who they are more strongly, or anew; `acr` and `max_age` say how."""

    code: ClassVar[str] = "stronger_authentication_needed"

    def __init__(self, acr: str | None, max_age: Seconds | None) -> None:
        super().__init__("log in more strongly, or anew, before you answer")
        self.acr = acr
        self.max_age = max_age


class RequestExpiredError(ConflictError):
    """Nobody answered it in time."""

    code: ClassVar[str] = "expired"


class RequestEndedError(ConflictError):
    """It was decided, or withdrawn, before."""

    code: ClassVar[str] = "already_decided"


class AlreadyAnsweredError(ConflictError):
    """This person, under whatever account, or somebody in their place, has answered it."""

    code: ClassVar[str] = "already_answered"


class ShownChangedError(ConflictError):
    """What they answered is not what was shown to them last."""

    code: ClassVar[str] = "shown_changed"


class NotADeputyError(Error):
    """They cannot stand for each other."""

    code: ClassVar[str] = "not_a_deputy"
