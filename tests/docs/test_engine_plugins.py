"""Whoever follows the page has a plug-in that passes the suite, and a repository that checks."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from remit.repository import write_example

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/engine-plugins.md"
TEXT = PAGE.read_text()
FILES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', TEXT, re.DOTALL | re.MULTILINE))
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"^```console\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.fixture
def followed(tmp_path):
    """The files of the page, installed as `pip` does it: what the entry point says, where Python looks."""
    for name, text in FILES.items():
        if name != "remit.yaml":
            (tmp_path / name).write_text(text)
    write_example(tmp_path / "policy")
    root = tmp_path / "policy" / "remit.yaml"
    root.write_text(f"{root.read_text()}\n{FILES['remit.yaml']}")
    info = tmp_path / "acme_remit-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-remit\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[remit.policy_engines]\nacme = acme_remit:open_engine\n"
    )
    return tmp_path


def run(folder, command):
    name, *rest = shlex.split(command)
    words = [sys.executable, *(["-m", "remit"] if name == "remit" else []), *rest]
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"},
    )  # fmt: skip


def test_the_commands_are_those_that_are_run_here():
    assert COMMANDS == [
        "pip install -e .",  # which a test leaves out: `followed` does what it does
        "python -m pytest -q test_acme_remit.py",
        "remit check --repo policy",
        "remit doctor --repo policy --data data",
    ]
    assert 'acme = "acme_remit:open_engine"' in FILES["pyproject.toml"]


def test_the_plug_in_of_the_page_passes_the_suite(followed):
    done = run(followed, COMMANDS[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b1[0-9] passed", done.stdout)


def test_a_plug_in_that_is_spoilt_fails_it(followed):
    path = followed / "acme_remit.py"
    path.write_text(path.read_text().replace("allowed=allowed)", "allowed=True)"))
    done = run(followed, f"{COMMANDS[1]} -k each_question_alone")
    assert done.returncode == 1
    assert "own-organisation" in done.stdout or "another-organisation" in done.stdout


def test_the_repository_that_names_it_checks_and_doctor_knows_it(followed):
    checked = run(followed, COMMANDS[2])
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "acme" in run(followed, COMMANDS[3]).stdout
