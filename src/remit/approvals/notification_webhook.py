"""Webhooks: to machines, signed; and to channels of people, in the form that Slack takes and others with it.

A signed one follows Standard Webhooks: `webhook-id` stays the same however often it is tried, `webhook-signature` is an
HMAC-SHA-256 of id, second and body under each secret that the reference holds, so that one can be replaced while both
are known. The URL of a channel is a secret itself and stands in no log, no event and no error.
Refused: private addresses, but where the repository says so; plain http, but on this machine; redirects.

Source: Standard Webhooks specification 1.0; Slack, "Sending messages using incoming webhooks"; MCP SBP26 SSRF.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from remit.approvals.notification import Notice, Notification, NotSentError, page_of
from remit.approvals.notification_words import words_of
from remit.canonical import JsonObject, canonical_bytes
from remit.clock import EpochSeconds, rfc3339_ms
from remit.errors import Error
from remit.model import Notifier
from remit.web.fetch import FetchRefusedError
from remit.web.reach import Reach
from remit.web.webhook_signature import SecretUnfitError, webhook_signature

__all__ = ["Post", "post_signed", "post_to_channel", "signature_of"]

_GONE: Final = 410


class Post(Protocol):
    """`DocumentFetcher.post`."""

    async def __call__(
        self, url: str, content: bytes, *, headers: Mapping[str, str], reach: Reach = ...
    ) -> int: ...


async def post_signed(
    notifier: Notifier,
    one: Notification,
    *,
    post: Post,
    read_secret: Callable[[str], str],
    public_url: str,
    now: EpochSeconds,
) -> None:
    """Tell a machine of one thing.

    Raises:
        NotSentError: it did not say that it has it.
    """
    body = canonical_bytes(_event(one.notice, public_url))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": one.id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature_of(
            body, one.id, now=now, secrets=_secret(notifier, read_secret)
        ),
    }
    await _post(notifier, notifier.url or "", body, headers=headers, post=post)


async def post_to_channel(
    notifier: Notifier,
    notices: Sequence[Notice],
    *,
    post: Post,
    read_secret: Callable[[str], str],
    public_url: str,
) -> None:
    """Tell a channel of all of them, in one message.

    Raises:
        NotSentError: it did not say that it has it.
    """
    # Slack takes these three for its own markup, wherever they stand; `inert` left none in a name.
    text = words_of(notices, public_url)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    url = notifier.url or _secret(notifier, read_secret)
    body = canonical_bytes({"text": text})
    await _post(notifier, url, body, headers={"Content-Type": "application/json"}, post=post)


def signature_of(body: bytes, message_id: str, *, now: EpochSeconds, secrets: str) -> str:
    """`v1,…` for each of `secrets`, which are separated by spaces and begin with `whsec_`.

    Raises:
        NotSentError: one of them is no such secret.
    """
    try:
        return webhook_signature(body, message_id, now=now, secrets=secrets)
    except SecretUnfitError as error:
        raise NotSentError(error.code) from None


def _secret(notifier: Notifier, read_secret: Callable[[str], str]) -> str:
    if notifier.secret is None:
        raise NotSentError("no_secret")
    try:
        return read_secret(notifier.secret).strip()
    except Error as error:
        raise NotSentError(error.code, cause=error) from error


async def _post(
    notifier: Notifier, url: str, body: bytes, *, headers: Mapping[str, str], post: Post
) -> None:
    try:
        status = await post(
            url, body, headers=headers, reach=Reach(private=notifier.private_network)
        )
    except FetchRefusedError as error:
        raise NotSentError("refused", cause=None) from error
    except Error as error:
        raise NotSentError(error.code, cause=None) from error
    if not 200 <= status < 300:
        raise NotSentError(f"answered_{status}", for_good=status == _GONE, answered=True)


def _event(notice: Notice, public_url: str) -> JsonObject:
    return {
        "type": notice.occasion.value,
        "timestamp": rfc3339_ms(notice.at * 1000),
        "data": {
            "id": notice.about,
            "tenant": notice.tenant,
            "server": notice.server,
            "kind": notice.kind,
            "name": notice.name,
            "environment": notice.environment,
            "agent": notice.agent,
            "roles": list(notice.roles),
            "expires_at": rfc3339_ms(notice.ends_at * 1000),
            "url": page_of((notice,), public_url),
        },
    }
