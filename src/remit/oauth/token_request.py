"""What a token request is, once its door knows who sends it."""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.oauth.client import Client
from remit.oauth.errors import InvalidClientError
from remit.tokens.dpop import Proof
from remit.web import Params

__all__ = ["TokenRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A form, the client that proved to have sent it, and the key that it proved to have.

    `client` is `None` only for an assertion of a workload, which speaks for itself (AS-69).
    `proof` is `None` when no proof of possession came with it; one that is wrong was refused
    before, one that was used before is refused when a token is made (`issue_access_token`).
    """

    form: Params
    client: Client | None
    context: Context
    proof: Proof | None = None

    @property
    def jkt(self) -> str | None:
        """The RFC 7638 thumbprint of the key that was proved, if one was."""
        return None if self.proof is None else self.proof.jkt

    @property
    def known_client(self) -> Client:
        """The client.

        Raises:
            InvalidClientError: the request names none.
        """
        if self.client is None:
            raise InvalidClientError("this grant takes a client that authenticates")
        return self.client
