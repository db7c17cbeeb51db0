from pathlib import Path

import pytest

from remit.settings import LoadedSettings, LogLevel, SettingsInvalidError, load_settings


def load(
    *,
    config: Path | None = None,
    environ: dict[str, str] | None = None,
    **flags: object,
) -> LoadedSettings:
    return load_settings(flags=flags, environ=environ or {}, config=config)


def faults(**sources: object) -> list[str]:
    with pytest.raises(SettingsInvalidError) as caught:
        load(**sources)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "remit.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_given_serves_loopback_only() -> None:
    settings = load().settings
    assert (settings.host, settings.port) == ("127.0.0.1", 8600)
    assert settings.issuer == "http://127.0.0.1:8600"
    assert settings.listens_on_loopback
    assert settings.is_sqlite


def test_later_sources_win(tmp_path: Path) -> None:
    config = write(tmp_path, "port: 1000\nhost: 127.0.0.2\nlog_level: debug\n")
    loaded = load(config=config, environ={"REMIT_PORT": "2000", "REMIT_HOST": "::1"}, port=3000)
    assert loaded.settings.port == 3000
    assert loaded.settings.host == "::1"
    assert loaded.settings.log_level is LogLevel.DEBUG
    assert loaded.origins["port"].place == "--port"
    assert loaded.origins["host"].place == "REMIT_HOST"
    assert loaded.origins["log_level"].place == f"{config}:3:1"


def test_a_flag_that_was_not_given_overrides_nothing() -> None:
    assert load(environ={"REMIT_PORT": "2000"}, port=None).settings.port == 2000


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    config = write(tmp_path, "port: 1000\n")
    assert load(environ={"REMIT_CONFIG": str(config)}).settings.port == 1000


def test_folders_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load(config=write(tmp_path, "repo: rules\ndata: state\n")).settings
    assert settings.repo == tmp_path / "rules"
    assert settings.data == tmp_path / "state"


def test_lists_are_written_with_commas_outside_the_file(tmp_path: Path) -> None:
    by_variable = load(environ={"REMIT_TRUSTED_PROXIES": "10.0.0.5, 10.1.0.0/16"}).settings
    by_file = load(config=write(tmp_path, "trusted_proxies: [10.0.0.5, 10.1.0.0/16]\n")).settings
    assert by_variable.trusted_proxies == by_file.trusted_proxies
    assert [str(one) for one in by_file.trusted_proxies] == ["10.0.0.5/32", "10.1.0.0/16"]


def test_the_master_key_is_no_setting_and_no_stranger() -> None:
    assert "REMIT_MASTER_KEY" not in load(environ={"REMIT_MASTER_KEY": "x"}).origins


def test_an_empty_variable_is_not_set() -> None:
    assert load(environ={"REMIT_PORT": "", "REMIT_DATA": "", "REMIT_CONFIG": ""}).origins == {}


def test_a_secret_that_the_repository_names_is_no_stranger() -> None:
    environ = {"REMIT_BILLING_JOB_SECRET": "x", "REMIT_CRM_TOKEN": "x"}
    assert load(environ=environ).origins == {}


def test_every_fault_of_every_source_is_named_at_once(tmp_path: Path) -> None:
    config = write(tmp_path, "prot: 1\nlog_level: loud\n")
    found = faults(
        config=config,
        environ={"REMIT_PROT": "1", "REMIT_SHUTDOWN_GRACE": "never"},
        port=70000,
        public_url="http://remit.example",
    )
    assert found == [
        f"{config}:1:1: `prot` is not a setting; did you mean `port`?",
        "REMIT_PROT: `prot` is not a setting; did you mean `REMIT_PORT`?",
        "--port: expected 65535 or less, not `70000`",
        f"{config}:2:1: log_level: expected `debug`, `info`, `warning` or `error`, not `loud`",
        "REMIT_SHUTDOWN_GRACE: expected a whole number, not `never`",
        (
            "--public-url: `http://remit.example` would send tokens over the network "
            "unencrypted; use https, with a reverse proxy that ends TLS in front of Remit"
        ),
    ]


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(config=tmp_path / "none.yaml")
    assert fault.startswith(f"{tmp_path / 'none.yaml'}:1:1: cannot read the file")


def test_a_file_that_is_not_a_mapping_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(config=write(tmp_path, "- port\n"))
    assert "not a mapping" in fault


def test_a_key_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(config=write(tmp_path, "port: 1\nport: 2\n"))
    assert ":2:1: the key `port` stands here twice" in fault


def test_a_key_that_stands_twice_hides_no_other_fault(tmp_path: Path) -> None:
    found = faults(config=write(tmp_path, "port: 1\nport: 2\nprot: 3\nlog_level: loud\n"))
    assert [fault.split(": ")[0].rpartition("remit.yaml")[2] for fault in found] == [
        ":2:1", ":3:1", ":4:1",
    ]  # fmt: skip


def test_what_is_refused_is_not_wrong_in_another_way_too(tmp_path: Path) -> None:
    (anchor, alias) = faults(config=write(tmp_path, "host: &h x.example\nport: *h\n"))
    assert ("anchor" in anchor, "alias" in alias) == (True, True)


def test_a_setting_nobody_knows_is_refused_without_a_wrong_suggestion() -> None:
    (fault,) = faults(environ={"REMIT_XYZZY": "1"})
    assert fault == (
        "REMIT_XYZZY: `xyzzy` is not a setting; see docs/reference/settings.md for what can be set"
    )


def test_a_password_in_a_refused_database_url_is_not_repeated() -> None:
    (fault,) = faults(environ={"REMIT_DATABASE_URL": "mysql://root:hunter2@db/remit"})
    assert "hunter2" not in fault
    assert "`mysql` are not supported" in fault


def test_a_contradiction_with_something_invalid_is_not_reported_twice() -> None:
    (fault,) = faults(host="0.0.0.0", public_url="ftp://remit.example")
    assert fault.startswith("--public-url: `ftp://remit.example` is not an http")


def test_a_stage_is_named_anywhere_and_none_is_the_default(tmp_path: Path) -> None:
    assert load().settings.stage is None
    assert load(environ={"REMIT_STAGE": "prod"}).settings.stage == "prod"
    config = write(tmp_path, "stage: dev\n")
    assert load(config=config, stage="prod").settings.stage == "prod"


def test_a_stage_that_is_no_name_is_refused() -> None:
    [fault] = faults(environ={"REMIT_STAGE": "../prod"})
    assert fault.startswith("REMIT_STAGE: ")
    assert "expected lower-case letters, digits and hyphens, not `../prod`" in fault
