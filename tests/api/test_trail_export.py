"""Handing events out through the management API of a whole Remit."""

import hashlib
import json

import pytest


async def export(management, **body):
    return await management.post("/api/v1/audit/export", json=body)


async def test_what_leaves_is_recorded_with_its_digest_before_it_does(management):
    answer = await export(management, form="jsonl", kind="policy.loaded")
    assert answer.status_code == 200, answer.text
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["remit-digest"] == digest
    assert answer.headers["remit-records"] == "1"
    found = await management.post("/api/v1/audit/search", json={"kind": "audit.exported"})
    (event,) = found.json()["events"]
    body = event["record"]["body"]
    assert (body["digest"], body["form"], body["records"]) == (digest, "jsonl", 1)
    assert body["query"]["kind"] == "policy.loaded"
    (line,) = answer.text.splitlines()
    assert json.loads(line)["record"]["kind"] == "policy.loaded"


async def test_nothing_leaves_when_it_cannot_be_recorded(management, app):
    app.database.close()
    app.audit._log._log.close()
    answer = await export(management, form="csv")
    assert answer.status_code == 503
    assert "policy.loaded" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {}, {"form": "xml"}, {"form": "csv", "limit": 0}, {"form": "pdf", "limit": 5_001}, {"form": "csv", "zone": "Mars/Olympus"},
        {"form": "html", "subject": "agent"}, {"form": "html", "id": "x"}, {"form": "csv", "dates": "uk"},
    ],
)  # fmt: skip
async def test_what_could_be_misread_is_refused(management, body):
    answer = await export(management, **body)
    assert answer.status_code == 400, answer.text
