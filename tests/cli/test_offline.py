from remit.cli.exits import ExitCode


def test_settings_that_cannot_be_used_are_told(cli, folder, monkeypatch):
    monkeypatch.setenv("REMIT_PORT", "many")
    done = cli("users", "list")
    assert done.code == ExitCode.UNAVAILABLE
    assert "REMIT_PORT: expected a whole number, not `many`" in done.err


def test_a_repository_that_is_not_there_is_told(cli, folder):
    done = cli("users", "list", "--repo", "elsewhere")
    assert done.code == ExitCode.FOUND_WRONG
    assert "elsewhere" in done.err


def test_another_master_key_is_told(cli, dana, monkeypatch):
    monkeypatch.setenv("REMIT_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    done = cli("users", "list")
    assert done.code != 0
    assert "another master key" in done.err


def test_what_was_done_without_a_server_is_in_the_log(cli, dana, folder):
    assert "account.created" in (next((folder / "data/audit/main").glob("*.jsonl"))).read_text()
