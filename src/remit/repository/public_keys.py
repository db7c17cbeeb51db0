"""Key sets that stand in a file: public keys for signatures, and nothing else.

Refused: a private or a shared key, wherever it stands (it is not repeated: it may be somebody's);
a key that verifies nothing; two of one name.

Source: RFC 7517 §4, §5; RFC 8725 §3.2.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema, model_validator

from remit.canonical import JsonObject
from remit.documents import mistake
from remit.repository.section import Section
from remit.tokens.foreign_keys import UnusableKeysError, parse_jwks

__all__ = ["JwksSection", "jwks_of"]


def _check_key(key: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        usable = parse_jwks({"keys": [key]})
    except UnusableKeysError:
        raise mistake(
            "a key that is not public",
            expected="the public part alone, without `d` or `k`; what has stood here is lost",
            hide=True,
        ) from None
    if not usable:
        raise mistake(
            "a key that verifies no signature",
            expected="RSA of 2048 bits or more, P-256, P-384 or Ed25519, with `use: sig` or none",
        )
    return key


class JwksSection(Section):
    """A JWK set (RFC 7517 §5)."""

    keys: tuple[
        Annotated[
            dict[str, JsonValue],
            AfterValidator(_check_key),
            WithJsonSchema(
                {
                    "type": "object",
                    "required": ["kty"],
                    "properties": {
                        "kty": {"enum": ["RSA", "EC", "OKP"]},
                        **dict.fromkeys(("d", "p", "q", "dp", "dq", "qi", "oth", "k"), False),
                    },
                }
            ),
        ],
        ...,
    ] = Field(min_length=1, description="Public keys, each as a JWK.")

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        try:
            parse_jwks(jwks_of(self))
        except UnusableKeysError as error:
            raise mistake(
                error.detail, expected="at most 64 keys, each with a `kid` of its own"
            ) from None
        return self


def jwks_of(section: JwksSection) -> JsonObject:
    """The key set as a document."""
    return {"keys": list(section.keys)}
