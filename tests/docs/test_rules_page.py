"""The guide to rules: its files check together, its commands run, and what it shows is what they print."""

import re

from typer.testing import CliRunner

from remit.cli.main import app
from remit.repository import write_example
from tests.docs.test_guides import ROOT, _named, _put, _remit_commands

PAGE = ROOT / "docs/guides/rules.md"


def test_the_commands_run_over_the_files_of_the_page(tmp_path, monkeypatch):
    write_example(tmp_path / "policy")
    for name, text in _named(PAGE):
        _put(tmp_path / "policy" / name, text)
    monkeypatch.chdir(tmp_path)
    printed = []
    for words in _remit_commands(PAGE):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (words, result.output)
        printed.append(result.output)
    assert len(printed) == 3
    (shown,) = re.findall(r"```cedar\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert shown.strip() in printed[-1]
    assert printed[1].count("@id(") == 9
