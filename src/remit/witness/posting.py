"""One request to a witness, or to an authority of time: bounded in time and size, and nowhere else than where it was sent."""

from collections.abc import Awaitable, Callable
from typing import Final

import httpx2

from remit.witness.asking import WitnessSilentError

__all__ = ["Sender", "sender"]

_TIMEOUT: Final = 5.0
_MAX_ANSWER: Final = 65_536

Sender = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""Sends a body; status and body of the answer. Raises `WitnessSilentError`."""


def sender(url: str, *, content_type: str) -> Sender:
    """What posts to `url`."""

    async def send(body: bytes) -> tuple[int, bytes]:
        try:
            async with (
                httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client,
                client.stream(
                    "POST", url, content=body, headers={"content-type": content_type}
                ) as response,
            ):
                answer = bytearray()
                async for part in response.aiter_bytes():
                    answer += part
                    if len(answer) > _MAX_ANSWER:
                        raise WitnessSilentError("it answers without an end")
                return response.status_code, bytes(answer)
        except httpx2.HTTPError as error:
            raise WitnessSilentError(f"it does not answer: {type(error).__name__}") from error

    return send
