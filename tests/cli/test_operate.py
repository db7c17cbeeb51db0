import json
import re
from importlib.metadata import version

import typer.main

from remit.cli.exits import ExitCode
from remit.cli.main import app
from remit.settings import Settings


def test_every_setting_has_its_flag():
    serve = typer.main.get_command(app).commands["serve"]
    flags = {option for parameter in serve.params for option in parameter.opts}
    assert flags == {"--config"} | {f"--{name.replace('_', '-')}" for name in Settings.model_fields}


def test_the_defaults_that_help_names_are_the_settings_own():
    serve = typer.main.get_command(app).commands["serve"]
    for parameter in serve.params:
        shown = re.search(r"\[default: ([^\]]+)\]", parameter.help or "")
        default = Settings.model_fields[parameter.name].default if shown else None
        if shown and parameter.name not in {"database_url", "metrics_networks"}:
            assert shown[1] == str(getattr(default, "value", default)), parameter.name


def test_init_writes_an_example_that_checks(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("init", "policy")
    assert done.code == 0
    assert "next: remit check" in done.err
    assert cli("check", "--repo", "policy").code == 0


def test_init_writes_over_nothing(cli, folder):
    done = cli("init", "policy")
    assert done.code == ExitCode.FOUND_WRONG
    assert "not an empty folder" in done.err


def test_version_is_the_packages_own(cli):
    assert cli("version").out == f"remit {version('remit')}\n"


def test_status_says_whether_a_server_runs(cli, folder):
    done = cli("status", "--json")
    assert done.code == 0, done.err
    status = json.loads(done.out)
    assert status["running"] is False
    assert status["repository"] == str(folder / "policy")
    assert "catalog version" in cli("status").out


def test_reload_is_for_a_running_server(cli, folder):
    done = cli("reload")
    assert done.code == ExitCode.UNAVAILABLE
    assert f"no server runs on the data folder `{folder / 'data'}`" in done.err


def test_serve_tells_every_setting_that_is_wrong(cli, folder):
    done = cli("serve", "--port", "x", "--public-url", "http://remit.example")
    assert done.code == ExitCode.UNAVAILABLE
    assert "--port: expected a whole number, not `x`" in done.err
    assert "--public-url: `http" in done.err
    assert "use https" in done.err
