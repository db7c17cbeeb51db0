"""What a token request is, once its door knows who sends it."""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.oauth.client import Client
from remit.oauth.errors import InvalidClientError
from remit.web import Params

__all__ = ["TokenRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A form, the client that proved to have sent it, and the key that it proved to have.

    `client` is `None` only for an assertion of a workload, which speaks for itself (AS-69).
    `jkt` is `None` when no proof of possession came with it; a proof that was wrong was
    refused before.
    """

    form: Params
    client: Client | None
    context: Context
    jkt: str | None = None

    @property
    def known_client(self) -> Client:
        """The client.

        Raises:
            InvalidClientError: the request names none.
        """
        if self.client is None:
            raise InvalidClientError("this grant takes a client that authenticates")
        return self.client
