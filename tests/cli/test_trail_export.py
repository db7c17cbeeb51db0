import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest


@pytest.fixture
def suspended(cli, folder):
    assert cli("agents", "suspend", "billing-job", "--reason", "=cmd|' /C calc'!A0").code == 0
    return "billing-job"


def test_lines_of_json_are_the_records(cli, suspended):
    done = cli("audit", "export", "kind=agent.*")
    (found,) = [json.loads(line) for line in done.out.splitlines()]
    assert found["record"]["kind"] == "agent.suspended"
    assert "1 record ·" in done.err


def test_a_table_holds_no_formula(cli, suspended, folder):
    assert cli("audit", "export", "-o", "events.csv").code == 0
    rows = list(csv.DictReader(io.StringIO((folder / "events.csv").read_text())))
    (one,) = [row for row in rows if row["kind"] == "agent.suspended"]
    assert one["reason"].startswith("'=cmd")


def test_what_is_handed_out_is_recorded_with_its_digest(cli, suspended, folder):
    done = cli("audit", "export", "kind=agent.*", "-o", "events.jsonl", "--json")
    told = json.loads(done.out)
    assert told["sha256"] == hashlib.sha256((folder / "events.jsonl").read_bytes()).hexdigest()
    (line,) = cli("audit", "search", "kind=audit.exported", "--json").out.splitlines()
    body = json.loads(line)["record"]["body"]
    assert (body["digest"], body["records"], body["form"]) == (told["sha256"], 1, "jsonl")


def test_a_report_is_a_page_or_a_document(cli, suspended, folder):
    for name, begins in (("story.html", b"<!doctype html>"), ("story.pdf", b"%PDF-1.")):
        arguments = (
            "--of",
            "agent",
            "--id",
            suspended,
            "--dates",
            "us",
            "--zone",
            "America/New_York",
        )
        done = cli("audit", "report", "-o", name, *arguments)
        assert done.code == 0, done.err
        assert (folder / name).read_bytes().startswith(begins)


def test_each_record_of_a_bundle_is_proved_by_the_verifier_alone(cli, suspended, folder):
    done = cli("audit", "export", "kind=agent.suspended", "-o", "handed.zip")
    assert done.code == 0, done.err
    with zipfile.ZipFile(folder / "handed.zip") as bundle:
        bundle.extractall(folder / "handed")
    (proof,) = (folder / "handed" / "proofs").rglob("*.tlog-proof")
    key = folder / "data" / "audit" / "main" / "log.pub"
    checked = subprocess.run(
        [sys.executable, "-m", "remit_audit_verify", "check", str(proof), "--key", str(key)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert "agent.suspended" in checked.stdout
    whole = cli("audit", "verify", "handed.zip", "--key", str(key))
    assert whole.code == 0, whole.out
    assert "not that there are no others" in whole.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "-o", "x.html"), "remit audit report"),
        (("export", "--form", "bundle"), "takes -o FILE"),
        (("export", "-o", "nowhere/x.csv"), "no folder `nowhere`"),
        (("report", "-o", "x.csv"), "`.html` or `.pdf`"),
        (("report", "-o", "x.html", "--of", "agent"), "go together"),
    ],
)
def test_what_could_be_misread_is_refused_and_makes_no_file(cli, folder, arguments, said):
    done = cli("audit", *arguments)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not [one for one in folder.iterdir() if one.name not in {"policy", "data"}]


def test_a_zone_that_is_none_is_refused_and_what_was_there_stays(cli, folder, suspended):
    (folder / "x.csv").write_text("before")
    assert cli("audit", "export", "-o", "x.csv", "--zone", "Mars/Olympus").code == 1
    assert (folder / "x.csv").read_text() == "before"
    assert not list(folder.glob(".remit-*"))
