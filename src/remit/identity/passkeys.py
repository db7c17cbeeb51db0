"""Passkeys: what a browser is asked for, and whether what it answers holds.

Always with the person verified by the authenticator (PIN, finger, face), so that a passkey
is two factors in one; discoverable, so that no name needs to be typed. Nothing is asked of who
made the authenticator. Refused: another origin, another relying party, a challenge that is
not ours, an answer without verification, a signature of another key.

Whether the count of signatures grew is not decided here but where the passkey is stored, in
one statement. A passkey that is copied to other devices is `swk`, one that stays is `hwk`.

Source: WebAuthn Level 3 §7.1, §7.2; RFC 8176 §2.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from struct import error as StructError  # noqa: N812  it is raised as any other error
from typing import ClassVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from remit.canonical import Json, JsonObject, parse_json
from remit.errors import Error
from remit.identity.factor_store import Passkey
from remit.identity.user import User
from remit.web import Site

__all__ = [
    "Answer",
    "NewKey",
    "PasskeyRefusedError",
    "UsedKey",
    "creation_options",
    "passkeys_work_at",
    "read_answer",
    "request_options",
    "verify_creation",
    "verify_use",
]

_MAX_ANSWER = 32_768
_MAX_CREDENTIAL_ID = 1_023
_TIMEOUT_MS = 300_000
_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_TRANSPORTS = {one.value for one in AuthenticatorTransport}
_UNREADABLE = (
    WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError,
    OverflowError, StructError,
)  # fmt: skip
"""What the library raises at bytes that are no answer: its own error, and what slips through it."""


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


def passkeys_work_at(site: Site) -> bool:
    """Whether the site has a name: browsers make no passkeys for an address (WebAuthn L3 §5.1.2)."""
    try:
        ip_address(_host(site))
    except ValueError:
        return True
    return False


def creation_options(
    site: Site, user: User, *, issuer: str, challenge: bytes, known: tuple[Passkey, ...]
) -> str:
    """What `navigator.credentials.create` is given, as JSON; keys that are `known` are left out."""
    options = webauthn.generate_registration_options(
        rp_id=_host(site),
        rp_name=issuer,
        user_id=user.id.encode(),
        user_name=user.username,
        user_display_name=user.display_name,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(known),
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json(options)


def request_options(site: Site, *, challenge: bytes, known: tuple[Passkey, ...] = ()) -> str:
    """What `navigator.credentials.get` is given, as JSON; without `known` keys, any may answer."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(site),
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


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
        client_data = _object(parse_json(base64url_to_bytes(_text(response.get("clientDataJSON")))))
        challenge = base64url_to_bytes(_text(client_data.get("challenge")))
        credential_id, handle = _text(value.get("id")), response.get("userHandle")
        user_handle = None if handle is None else base64url_to_bytes(_text(handle)).decode()
    except (ValueError, Error) as error:
        raise PasskeyRefusedError("the answer is not a credential", cause=error) from error
    if len(credential_id) > 2 * _MAX_CREDENTIAL_ID:
        raise PasskeyRefusedError("the answer names no credential")
    return Answer(
        json=value, credential_id=credential_id, challenge=challenge, user_handle=user_handle
    )


def verify_creation(site: Site, answer: Answer) -> NewKey:
    """The new key in `answer`, whose challenge the caller has recognised and spends.

    Raises:
        PasskeyRefusedError: see the module.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=dict(answer.json),
            expected_challenge=answer.challenge,
            expected_rp_id=_host(site),
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except _UNREADABLE as error:
        raise PasskeyRefusedError("the new passkey does not hold", cause=error) from error
    if len(verified.credential_id) > _MAX_CREDENTIAL_ID:
        raise PasskeyRefusedError("the id of the credential is too long")
    return NewKey(
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        transports=_transports(answer.json),
        backed_up=verified.credential_backed_up,
    )


def verify_use(site: Site, answer: Answer, passkey: Passkey) -> UsedKey:
    """What `answer` says, made with `passkey`; its challenge the caller has recognised and spends.

    Raises:
        PasskeyRefusedError: see the module.
    """
    if answer.user_handle is not None and answer.user_handle != passkey.user_id:
        raise PasskeyRefusedError("the answer names another person")
    try:
        verified = webauthn.verify_authentication_response(
            credential=dict(answer.json),
            expected_challenge=answer.challenge,
            expected_rp_id=_host(site),
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=0,  # decided by the store, once the signature holds
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise PasskeyRefusedError("the passkey was not proved", cause=error) from error
    stays = verified.credential_device_type is CredentialDeviceType.SINGLE_DEVICE
    return UsedKey(
        sign_count=verified.new_sign_count,
        backed_up=verified.credential_backed_up,
        amr=("hwk" if stays else "swk", "user", "mfa"),
    )


def _host(site: Site) -> str:
    return urlsplit(site.origin).hostname or ""


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise PasskeyRefusedError("the answer is not an object")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise PasskeyRefusedError("a member of the answer is not text")
    return value


def _descriptors(known: tuple[Passkey, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(one.credential_id),
            transports=[AuthenticatorTransport(name) for name in one.transports],
        )
        for one in known
    ]


def _transports(answer: JsonObject) -> tuple[str, ...]:
    response = answer["response"]
    found = response.get("transports") if isinstance(response, dict) else None
    named = found if isinstance(found, list) else []
    return tuple(sorted({one for one in named if isinstance(one, str)} & _TRANSPORTS))
