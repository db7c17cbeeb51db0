import hashlib
import io
import json
import zipfile

import pytest

from remit.audit import Context, Query
from remit.audit.events import AgentSuspended
from remit.trail.bundle import write_bundle
from remit.trail.question import Question


class SomeProofs:
    def proof(self, record):
        return f"proof of {record.sequence}\n" if record.sequence % 2 else None

    def keys(self, log):
        return f"{log}+key\n"


@pytest.fixture
def bundle(collecting, source):
    for log in ("remit/main", "remit/../x", "remit/none"):
        for number in range(3):
            event = AgentSuspended(
                context=Context(tenant="acme" if log != "remit/none" else None), reason=str(number)
            )
            source.add(log, event)  # fmt: skip
    question = Question(query=Query(), tenants=frozenset({"acme"}))
    collected = collecting(question, asked={"kind": "x"}, most=10)
    made = []
    for _ in range(2):
        file = io.BytesIO()
        write_bundle(file, collected, SomeProofs(), made_at="now", producer="remit 1")
        made.append(file.getvalue())
    assert made[0] == made[1], "equal records make an equal bundle"
    return zipfile.ZipFile(io.BytesIO(made[0])), collected


def test_the_manifest_names_every_file_by_its_digest(bundle):
    held, _ = bundle
    manifest = json.loads(held.read("manifest.json"))
    assert set(manifest["files"]) == set(held.namelist()) - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(held.read(name)).hexdigest() == digest


def test_records_are_there_byte_for_byte_and_say_which_has_no_proof(bundle):
    held, collected = bundle
    lines = held.read("records.jsonl").splitlines()
    assert lines == [record.line for record in collected.records]
    manifest = json.loads(held.read("manifest.json"))
    for record, listed in zip(collected.records, manifest["records"], strict=True):
        assert listed["leaf"] == record.leaf
        assert (listed["proof"] is None) is (record.sequence % 2 == 0)
        if listed["proof"]:
            assert held.read(listed["proof"]).startswith(b"proof of")


def test_nothing_of_another_log_or_outside_its_folder_is_in_it(bundle):
    held, _ = bundle
    names = held.namelist()
    assert not [one for one in names if ".." in one or one.startswith("/") or "none" in one]
