"""The ceremonies of WebAuthn, as the library that knows them wants to be asked.

Loaded when the first passkey is used: the library takes a fifth of a second to load,
which a start need not wait for. `identity.passkeys` is the way in.

Source: WebAuthn Level 3 §7.1, §7.2.
"""

from struct import error as StructError  # noqa: N812  it is raised as any other error
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

from remit.canonical import JsonObject
from remit.identity.factor_store import Passkey
from remit.identity.passkey_answer import Answer, NewKey, PasskeyRefusedError, UsedKey
from remit.identity.user import User
from remit.web import Site

__all__ = ["creation_options", "request_options", "verify_creation", "verify_use"]

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
