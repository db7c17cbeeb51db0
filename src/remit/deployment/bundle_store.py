"""The SQL of bundles: each kept once under its digest, with the installation's signature.

What is read is checked before it is believed: the content against the name, the name against the signature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Row, Table, Text, delete, select

from remit.canonical import Json, canonical_text, parse_json
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.deployment.bundle import (
    Bundle,
    BundleMalformedError,
    bundle_bytes,
    read_bundle,
)
from remit.deployment.sealing import BadSignatureError, InstallationKey
from remit.errors import NotFoundError

__all__ = ["KeptBundle", "is_kept", "keep_bundle", "kept_bundle", "kept_bundles", "remove_bundles"]

bundles = Table(
    "bundles",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("signatures", Text, nullable=False),
    Column("provenance", Text, nullable=False),
    Column("seal", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", Text, nullable=True),
)
_LISTED: Final = [column for column in bundles.c if column.name not in {"content", "signatures"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBundle:
    """What is known of a bundle without opening it."""

    digest: str
    files: int
    size: int
    provenance: Mapping[str, Json]
    added_at: EpochSeconds
    added_by: str | None


def keep_bundle(
    tx: Transaction, key: InstallationKey, bundle: Bundle, *, now: EpochSeconds, by: str | None
) -> None:
    """Keep `bundle`, signed by this installation; one that is kept already, and whole, stays as it is.

    A row of that name that does not verify any more is mended: the content is what the name says.
    """
    values = {
        "digest": bundle.digest,
        "content": bundle_bytes(bundle).decode(),
        "files": len(bundle.contents),
        "size": bundle.size,
        "signatures": canonical_text(sorted(one.key for one in bundle.signatures)),
        "provenance": canonical_text(dict(bundle.provenance)),
        "seal": key.signature(bundle).value,
        "added_at": now,
        "added_by": by,
    }
    statement = conflict_insert(tx, bundles).values(**values)
    mended = {name: values[name] for name in ("content", "files", "size", "signatures", "seal")}
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=mended))


def is_kept(tx: Transaction, digest: str) -> bool:
    """Whether there is a row for the bundle."""
    found = tx.connection.execute(select(bundles.c.digest).where(bundles.c.digest == digest))
    return found.scalar() is not None


def kept_bundle(tx: Transaction, key: InstallationKey, digest: str) -> Bundle:
    """The bundle `digest`, checked.

    Raises:
        NotFoundError: there is none.
        BadSignatureError: its row was changed by somebody else, or by a fault of the disk.
    """
    found = tx.connection.execute(
        select(bundles.c.content, bundles.c.seal).where(bundles.c.digest == digest)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no such bundle in the database: `{digest[:12]}`")
    if not key.has_signed(digest, found.seal):
        raise BadSignatureError(f"the bundle `{digest[:12]}` is not signed by this installation")
    try:
        bundle = read_bundle(found.content.encode())
    except BundleMalformedError as error:
        raise BadSignatureError(
            f"the bundle `{digest[:12]}` was altered: {error.detail}", cause=error
        ) from error
    if bundle.digest != digest:
        raise BadSignatureError(f"the bundle `{digest[:12]}` has the content of another")
    return bundle


def kept_bundles(tx: Transaction) -> tuple[KeptBundle, ...]:
    """Every bundle, the one that came last first."""
    rows = tx.connection.execute(
        select(*_LISTED).order_by(bundles.c.added_at.desc(), bundles.c.digest)
    )
    return tuple(_kept(row) for row in rows)


def remove_bundles(tx: Transaction, digests: tuple[str, ...]) -> None:
    """Forget the bundles of these names."""
    for digest in digests:
        tx.connection.execute(delete(bundles).where(bundles.c.digest == digest))


def _kept(row: Row[Any]) -> KeptBundle:
    provenance = parse_json(row.provenance.encode())
    return KeptBundle(
        digest=row.digest,
        files=row.files,
        size=row.size,
        provenance=provenance if isinstance(provenance, dict) else {},
        added_at=EpochSeconds(row.added_at),
        added_by=row.added_by,
    )
