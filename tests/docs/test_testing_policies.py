"""The guide on testing policies, followed to the letter: its commands, its file, and what it says they print."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/testing-policies.md").read_text()
COMMANDS = re.findall(r"^\$ remit (.*)$", GUIDE, re.MULTILINE)
FILES = re.findall(r'^```yaml title="([^"]+)"\n(.*?)^```', GUIDE, re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.e2e


def remit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("REMIT_")}
    return subprocess.run(
        [sys.executable, "-m", "remit", *arguments],
        cwd=folder, env={**environment, "NO_COLOR": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_commands_of_the_guide_work_in_order(tmp_path):
    assert len(COMMANDS) > 6
    for command in COMMANDS:
        if "-k invoices" in command:
            for name, text in FILES:
                (tmp_path / "policy" / name).write_text(text)
        done = remit(tmp_path, *shlex.split(command))
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if "-k invoices" in command:
            assert "tests/invoices.yaml  ...  3" in done.stdout
    assert (tmp_path / "results.xml").exists()


def test_a_limit_that_is_raised_prints_what_the_guide_shows(tmp_path):
    assert remit(tmp_path, "init", "policy").returncode == 0
    refunds = tmp_path / "policy/policies/refunds.cedar"
    refunds.write_text(refunds.read_text().replace("500.00", "900.00"))
    done = remit(tmp_path, "test", "--repo", "policy")
    assert done.returncode == 1
    (shown,) = re.findall(r"^```\n(FAILED.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert shown in done.stdout
