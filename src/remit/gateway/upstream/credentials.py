"""What a server was given to prove that it is called by us, and must not tell those who call it.

Refused: every message in which one of these secrets stands, wherever it stands. A
server that is hostile, or that only echoes the headers it got when something fails,
would hand the gateway's credential to a caller, who could then go round the gateway.

Source: MCP security best practices (token passthrough); docs/reference/gateway.md.
"""

import logging
from dataclasses import dataclass

from remit.canonical import Json
from remit.gateway.jsonrpc import Message
from remit.gateway.rejection import UpstreamError

__all__ = ["NO_CREDENTIALS", "Credentials"]

_SHORTEST = 6
"""Shorter than this and it stands in half of all texts, and is nobody's secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of one server's configuration."""

    secrets: tuple[str, ...] = ()

    def refuse_in(self, message: Message) -> None:
        """Refuse `message` if one of the secrets stands in it, in whatever spelling JSON gave it.

        Raises:
            UpstreamError: one does.
        """
        wanted = [secret for secret in self.secrets if len(secret) >= _SHORTEST]
        if wanted and _holds(message.to_json(), wanted):
            logging.getLogger("remit.gateway.upstream").error(
                "an upstream sent the credential that it is called with; the message was withheld"
            )
            raise UpstreamError("the server's answer is withheld: it holds what is not to be told")


NO_CREDENTIALS = Credentials()


def _holds(value: Json, wanted: list[str]) -> bool:
    """Whether a string in `value`, or the name of a member, holds one of `wanted`."""
    waiting: list[Json] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if any(secret in one for secret in wanted):
                return True
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False
