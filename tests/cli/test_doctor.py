import json

from remit.cli.exits import ExitCode


def about(done, level: str) -> set[str]:
    return {one["about"] for one in json.loads(done.out) if one["level"] == level}


def test_what_is_out_of_reach_is_unsafe_and_has_its_mend(cli, folder):
    done = cli("doctor")
    assert done.code == ExitCode.FOUND_WRONG
    assert "UNSAFE  server crm: " in done.out
    assert "mend: start it" in done.out
    assert {"secrets", "server crm"} <= about(cli("doctor", "--json"), "unsafe")


def test_every_finding_that_is_not_fine_has_a_mend(cli, folder):
    found = json.loads(cli("doctor", "--json").out)
    assert [one for one in found if one["level"] != "fine" and not one["mend"]] == []


def test_nothing_unsafe_is_a_good_end(cli, folder, monkeypatch):
    for name in ("crm", "payments"):
        path = folder / "policy" / "servers" / f"{name}.yaml"
        text = path.read_text()
        if "http:" in text:
            lines = [line for line in text.splitlines() if "bearer" not in line]
            path.write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("REMIT_BILLING_JOB_SECRET", "M2fQm7pXw0kq9sVt4yZa8bCd")
    monkeypatch.setenv("CRM_GATEWAY_TOKEN", "M2fQm7pXw0kq9sVt4yZa8bCd")
    done = cli("doctor", "--json")
    # The CRM of the example does not run here; everything else is well.
    assert about(done, "unsafe") == {"server crm"}


def test_a_broken_repository_is_unsafe(cli, folder):
    (folder / "policy" / "remit.yaml").write_text("nonsense: [")
    done = cli("doctor", "--json")
    assert done.code == ExitCode.FOUND_WRONG
    assert "repository" in about(done, "unsafe")


def test_settings_that_cannot_be_used_are_all_it_says(cli, folder, monkeypatch):
    monkeypatch.setenv("REMIT_PROT", "1")
    done = cli("doctor", "--json")
    assert done.code == ExitCode.FOUND_WRONG
    (finding,) = json.loads(done.out)
    assert finding["text"].startswith("REMIT_PROT: ")


def test_it_changes_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli("doctor")
    assert list(tmp_path.iterdir()) == []
