"""What the guide shows is what the commands on it print."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from remit.repository import write_example

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/who-can.md"
SHOWN = re.compile(
    r"```console\n\$ ([^\n]+)\n```\n\n<!-- (\w+) -->\n```text\n(.*?)\n?```", re.DOTALL
)


def shown() -> dict[str, tuple[str, str]]:
    return {name: (command, text) for command, name, text in SHOWN.findall(PAGE.read_text())}


def test_every_command_of_the_guide_shows_its_output():
    assert list(shown()) == ["refund", "known", "what"]


@pytest.mark.parametrize("name", ["refund", "known", "what"])
def test_the_guide_shows_what_is_printed(name, tmp_path):
    write_example(tmp_path / "policy")
    command, text = shown()[name]
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)], cwd=tmp_path, text=True, capture_output=True,
        timeout=300, check=False, env={"NO_COLOR": "1", "COLUMNS": "200", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line.rstrip() for line in done.stdout.rstrip().splitlines()] == [
        line.rstrip() for line in text.splitlines()
    ]
