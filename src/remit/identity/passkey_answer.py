"""What a browser sends of a passkey, and what is known once it holds."""

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import ClassVar

from remit.canonical import Json, JsonObject, parse_json
from remit.errors import Error

__all__ = ["Answer", "NewKey", "PasskeyRefusedError", "UsedKey", "read_answer"]

_MAX_ANSWER = 32_768
_MAX_CREDENTIAL_ID = 1_023


class PasskeyRefusedError(Error):
    """The answer proves nothing; `detail` is for the log, and the page says only that it failed."""

    code: ClassVar[str] = "passkey_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a browser sent, unverified: which credential it names, and which challenge it answers."""

    json: JsonObject
    credential_id: str
    challenge: bytes
    user_handle: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that an authenticator just made."""

    credential_id: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedKey:
    """What a verified answer says besides."""

    sign_count: int
    backed_up: bool
    amr: tuple[str, ...]


def read_answer(text: str | None) -> Answer:
    """What the browser sent.

    Raises:
        PasskeyRefusedError: it is not the JSON of a credential.
    """
    if text is None or len(text) > _MAX_ANSWER:
        raise PasskeyRefusedError("there is no answer, or too long a one")
    try:
        value = _object(parse_json(text.encode()))
        response = _object(value.get("response"))
        client_data = _object(parse_json(_bytes(_text(response.get("clientDataJSON")))))
        challenge = _bytes(_text(client_data.get("challenge")))
        credential_id, handle = _text(value.get("id")), response.get("userHandle")
        user_handle = None if handle is None else _bytes(_text(handle)).decode()
    except (ValueError, Error) as error:
        raise PasskeyRefusedError("the answer is not a credential", cause=error) from error
    if len(credential_id) > 2 * _MAX_CREDENTIAL_ID:
        raise PasskeyRefusedError("the answer names no credential")
    return Answer(
        json=value, credential_id=credential_id, challenge=challenge, user_handle=user_handle
    )


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise PasskeyRefusedError("the answer is not an object")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise PasskeyRefusedError("a member of the answer is not text")
    return value


def _bytes(text: str) -> bytes:
    """base64url without padding (WebAuthn L3 §3)."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except Base64Error as error:
        raise PasskeyRefusedError("a member of the answer is not base64url", cause=error) from error
