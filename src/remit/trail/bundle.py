"""Records handed out so that they prove themselves: a ZIP with each record, its proof, the checkpoints and the keys.

Whoever gets it needs nothing of Remit: `remit-audit-verify` reads all of it, or one of the proofs, each of which holds the
record, its path in the tree and the signed root, with cosignatures where there are. Nothing of other records is in it but hashes. The keys are there
for convenience and prove nothing by themselves: pin one that was kept before.

A record that no checkpoint signs yet has no proof, and the manifest says so.

Source: C2SP tlog-proof; AUDIT §1.6 (export bundle).
"""

import hashlib
import zipfile
from collections.abc import Iterator
from typing import IO, Final, Protocol
from urllib.parse import quote

from remit.audit.source import Record
from remit.canonical import Json, JsonObject, canonical_bytes
from remit.trail.collecting import Collected

__all__ = ["Proofs", "write_bundle"]

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_README: Final = """\
Records of an audit log, each with its proof.

  records.jsonl   the records as they stand in the log, one a line
  proofs/         one .tlog-proof a record (C2SP tlog-proof), by log and number
  checkpoints/    the newest signed note of each log, with its cosignatures
  keys/           the keys that the logs are checked with
  manifest.json   what was asked, over which records, and the SHA-256 of every file here

To check all of it, or one record, with the key that you kept (log.pub), and without anything of Remit but the verifier:

  pip install remit-audit-verify
  remit-audit-verify THIS.zip --key log.pub
  remit-audit-verify check proofs/LOG/NUMBER.tlog-proof --key log.pub

A key that comes with what it signs proves nothing: ask for it another way, once, and keep it.
"""


class Proofs(Protocol):
    """What shows that records are in the logs that were signed."""

    def proof(self, record: Record) -> str | None:
        """The `.tlog-proof` of a record; `None` where no checkpoint signs it yet."""
        ...

    def keys(self, log: str) -> str:
        """The keys of a log, one a line; empty where they are not known."""
        ...


def write_bundle(
    file: IO[bytes], collected: Collected, proofs: Proofs, *, made_at: str, producer: str
) -> None:
    """Write the bundle of `collected` into `file`. Equal for equal records, proofs and `made_at`."""
    digests: dict[str, str] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:

        def add(name: str, content: bytes) -> None:
            digests[name] = hashlib.sha256(content).hexdigest()
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            bundle.writestr(entry, content)

        add("README.txt", _README.encode())
        add("records.jsonl", b"".join(record.line + b"\n" for record in collected.records))
        records: list[Json] = []
        for record in collected.records:
            proof, name = proofs.proof(record), _proof_name(record)
            if proof is not None:
                add(name, proof.encode())
            records.append(_listed(record, None if proof is None else name))
        for name, text in _evidence(collected, proofs):
            add(name, text.encode())
        manifest: JsonObject = {
            "v": 1,
            "made_at": made_at,
            "producer": producer,
            "asked": collected.asked,
            "ranges": [
                {"log": one.log, "first": one.first, "to": one.to, "gap": one.gap and [*one.gap]}
                for one in collected.looked
            ],
            "more": collected.more,
            "records": records,
            "files": dict(digests),
        }
        add("manifest.json", canonical_bytes(manifest))


def _evidence(collected: Collected, proofs: Proofs) -> Iterator[tuple[str, str]]:
    held = {record.log for record in collected.records}
    for one in collected.looked:
        if one.log not in held:
            continue
        if one.checkpoint:
            yield f"checkpoints/{_folder(one.log)}.txt", one.checkpoint
        if keys := proofs.keys(one.log):
            yield f"keys/{_folder(one.log)}.pub", keys


def _listed(record: Record, proof: str | None) -> JsonObject:
    return {"log": record.log, "seq": record.sequence, "leaf": record.leaf, "proof": proof}


def _proof_name(record: Record) -> str:
    return f"proofs/{_folder(record.log)}/{record.sequence}.tlog-proof"


def _folder(log: str) -> str:
    return quote(log, safe="").replace(".", "%2E")
