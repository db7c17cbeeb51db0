"""A bundle: every file of a policy repository that counts, named by the digest of them all.

One JSON text that can be carried from one installation to the next. It holds texts by their paths and nothing
else: no links, no modes, nothing compressed that could unfold into more than was sent. Refused: a path that names
no file of a policy repository, or leads out of it; what is no UTF-8; more or larger files than a repository may
have; a name that is not that of the content.

Source: docs/guides/deploying-policies.md.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import Json, JsonObject, MalformedJsonError, canonical_bytes, parse_json
from remit.documents.reading import MAX_BYTES
from remit.errors import Error
from remit.repository.files import CASES, FOLDERS, MAX_FILES, SINGLE, STAGES, digest_of

__all__ = [
    "MAX_BUNDLE",
    "Bundle",
    "BundleMalformedError",
    "Signature",
    "bundle_bytes",
    "bundle_from",
    "bundle_of",
    "is_digest",
    "read_bundle",
]

FORMAT: Final = 1
MAX_BUNDLE: Final = 16 * 1024 * 1024
"""Bytes that all files together may have."""
_MAX_SIGNATURES: Final = 16
_MAX_PATH: Final = 200
_MAX_PROVENANCE: Final = 16_384

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_FOLDERS: Final = [rf"{name}/{_NAME}{re.escape(end)}" for name, end in FOLDERS.items()]
_BASE: Final = f"(?:{'|'.join([*map(re.escape, SINGLE), *_FOLDERS])})"
_PATH: Final = re.compile(
    rf"(?:{_BASE}|{STAGES}/{_NAME}/{_BASE}|{CASES}/(?:{_NAME}/){{0,8}}{_NAME}\.yaml)"
)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})


class BundleMalformedError(Error):
    """It is no bundle, or not one that may be read; `detail` says why. Nothing of it was kept."""

    code: ClassVar[str] = "bundle_malformed"


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose key signed the name of the bundle (the RFC 7638 thumbprint of it), and the signature, in base64url."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Files by their paths, and the SHA-256 over them all. `provenance` is what its source said of it: not believed."""

    digest: str
    contents: Mapping[str, bytes]
    signatures: tuple[Signature, ...] = ()
    provenance: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(map(len, self.contents.values()))

    @property
    def files(self) -> Mapping[str, str]:
        """The SHA-256 of each file, by its path."""
        return {
            path: hashlib.sha256(self.contents[path]).hexdigest() for path in sorted(self.contents)
        }

    def with_signature(self, signature: Signature) -> "Bundle":
        """The same, signed by one key more; a signature of the same key is replaced."""
        others = tuple(one for one in self.signatures if one.key != signature.key)
        return replace(self, signatures=(*others, signature))


def is_digest(text: str) -> bool:
    """Whether `text` could name a bundle."""
    return _DIGEST.fullmatch(text) is not None


def bundle_of(contents: Mapping[str, bytes]) -> Bundle:
    """The bundle of these files.

    Raises:
        BundleMalformedError: see the module.
    """
    if not contents:
        raise BundleMalformedError("there is no file in it")
    if len(contents) > MAX_FILES:
        raise BundleMalformedError(f"it has more than {MAX_FILES} files")
    if sum(map(len, contents.values())) > MAX_BUNDLE:
        raise BundleMalformedError(f"its files are larger than {MAX_BUNDLE} bytes together")
    for path, content in contents.items():
        _check_file(path, content)
    return Bundle(digest=digest_of(contents), contents=MappingProxyType(dict(contents)))


def bundle_bytes(bundle: Bundle) -> bytes:
    """The bundle as it is carried: canonical JSON, so that the same bundle is always the same bytes."""
    return canonical_bytes(
        {
            "bundle": FORMAT,
            "digest": bundle.digest,
            "files": {path: content.decode() for path, content in bundle.contents.items()},
            "signatures": [{"key": one.key, "value": one.value} for one in bundle.signatures],
            "provenance": dict(bundle.provenance),
        }
    )


def read_bundle(data: bytes) -> Bundle:
    """The bundle that `data` is.

    Raises:
        BundleMalformedError: see the module.
    """
    if len(data) > 2 * MAX_BUNDLE:
        raise BundleMalformedError(f"it is larger than {2 * MAX_BUNDLE} bytes")
    try:
        value = parse_json(data, max_values=4 * MAX_FILES)
    except MalformedJsonError as error:
        raise BundleMalformedError(f"it is no bundle: {error.detail}", cause=error) from error
    if not isinstance(value, dict):
        raise BundleMalformedError("it is no bundle: no JSON object")
    return bundle_from(value)


def bundle_from(value: JsonObject) -> Bundle:
    """The bundle that the JSON object `value` is.

    Raises:
        BundleMalformedError: see the module.
    """
    if value.get("bundle") != FORMAT:
        raise BundleMalformedError(f"it is no bundle of format {FORMAT}")
    unknown = set(value) - {"bundle", "digest", "files", "signatures", "provenance"}
    if unknown:
        raise BundleMalformedError(f"nobody knows its member `{_shown(min(unknown))}`")
    files = value.get("files")
    if not isinstance(files, dict) or not all(isinstance(one, str) for one in files.values()):
        raise BundleMalformedError("`files` must be texts by their paths")
    bundle = bundle_of({path: str(text).encode() for path, text in files.items()})
    if value.get("digest") != bundle.digest:
        # A file was changed, left out or put in after it was named.
        raise BundleMalformedError("its content is not what its name says")
    return replace(
        bundle,
        signatures=_signatures(value.get("signatures", [])),
        provenance=_provenance(value.get("provenance", {})),
    )


def _check_file(path: str, content: bytes) -> None:
    if len(path) > _MAX_PATH or ".." in path or _PATH.fullmatch(path) is None:
        raise BundleMalformedError(f"`{_shown(path)}` is no path of a policy repository")
    if len(content) > MAX_BYTES:
        raise BundleMalformedError(f"`{path}` is larger than {MAX_BYTES} bytes")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise BundleMalformedError(f"`{path}` is no UTF-8 text", cause=error) from error


def _signatures(value: Json) -> tuple[Signature, ...]:
    if not isinstance(value, list) or len(value) > _MAX_SIGNATURES:
        raise BundleMalformedError(f"`signatures` must be a list of at most {_MAX_SIGNATURES}")
    found = []
    for one in value:
        key, text = (one.get("key"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not (isinstance(key, str) and isinstance(text, str) and len(key) + len(text) <= 500):
            raise BundleMalformedError("a signature must have a `key` and a `value`")
        found.append(Signature(key, text))
    return tuple(found)


def _provenance(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict) or len(json.dumps(value)) > _MAX_PROVENANCE:
        raise BundleMalformedError(
            f"`provenance` must be an object of at most {_MAX_PROVENANCE} bytes"
        )
    return MappingProxyType(value)


def _shown(text: str) -> str:
    return "".join(one if " " <= one <= "~" and one != "`" else "?" for one in text)[:80]
