"""Which Remit elsewhere a command is about, and with which token."""

import pytest

from remit.cli.exits import ExitCode
from remit.cli.options import Where
from remit.cli.remote import RemoteMisnamedError, base_url_of, remote_flags, remote_meant

HERE = Where()
URL = "https://remit.acme.example"


def meant(*words, environ=None, where=HERE):
    """What `remit WORDS…` is about, and what is left of the words."""
    arguments, environ = ["remit", *words], dict(environ or {})
    with remote_flags(arguments, environ):
        return remote_meant(where, environ), arguments[1:]


def test_without_anything_said_it_is_the_one_here():
    assert meant("agents", "list") == (None, ["agents", "list"])


def test_flags_stand_anywhere_and_the_command_does_not_see_them():
    remote, rest = meant(
        "agents", "--url", URL + "/", "list", "--token-env=T", environ={"T": "abc\n"}
    )
    assert (remote.url, remote.token) == (URL, "abc")
    assert rest == ["agents", "list"]
    assert remote.headers == {"Authorization": "Bearer abc"}


def test_what_was_there_before_is_there_again():
    arguments, environ = (
        ["remit", "status", "--url", URL, "--token-env", "T"],
        {"T": "x", "REMIT_URL": "y"},
    )
    with remote_flags(arguments, environ):
        assert environ["REMIT_URL"] == URL
    assert arguments == ["remit", "status", "--url", URL, "--token-env", "T"]
    assert environ == {"T": "x", "REMIT_URL": "y"}


def test_the_environment_says_it_for_all_and_a_data_folder_for_one(tmp_path):
    environ = {"REMIT_URL": URL, "REMIT_TOKEN": "abc"}
    assert meant("status", environ=environ)[0].url == URL
    assert meant("status", environ=environ, where=Where(data=tmp_path))[0] is None


def test_a_token_comes_from_a_file_too(tmp_path):
    (tmp_path / "token").write_text("abc\n")
    flags = ("--url", URL, "--token-file", str(tmp_path / "token"))
    assert meant("status", *flags, environ={"REMIT_TOKEN": "other"})[0].token == "abc"


def test_after_two_dashes_everything_is_the_commands():
    assert meant("status", "--", "--url", URL)[1] == ["status", "--", "--url", URL]


def test_a_server_to_be_discovered_has_a_url_of_its_own():
    words = ("servers", "discover", "crm", "--url", "http://127.0.0.1:9/mcp")
    assert meant(*words) == (None, list(words))


@pytest.mark.parametrize("command", ["serve", "check", "login"])
def test_commands_about_what_is_here_take_no_flags_of_these(command):
    assert meant(command, "--url", URL)[1] == [command, "--url", URL]


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (("--url", URL), {}),
        (("--url",), {}),
        (("--url", URL, "--url", URL), {"REMIT_TOKEN": "a"}),
        (("--token-env", "T"), {"T": "a"}),
        (("--url", URL, "--token-env", "T"), {}),
        (("--url", URL, "--token-env", "T", "--token-file", "f"), {"T": "a"}),
        (("--url", URL, "--token-file", "nowhere"), {}),
        (("--url", URL, "--data", "data"), {"REMIT_TOKEN": "a"}),
        (("--url", URL), {"REMIT_TOKEN": "two words"}),
        (("--url", URL), {"REMIT_TOKEN": "a\r\nX-Header: b"}),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(words, environ):
    with pytest.raises(RemoteMisnamedError) as refused:
        meant("status", *words, environ=environ)
    assert "two words" not in refused.value.detail


@pytest.mark.parametrize(
    "url",
    ["http://remit.acme.example", "remit.acme.example", "ftp://x", "https://a:b@x", "https://x?y=1", "https://", "http://127.0.0.1.evil.example"],
)  # fmt: skip
def test_a_token_is_sent_nowhere_else(url):
    with pytest.raises(RemoteMisnamedError):
        base_url_of(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8600/", "http://localhost:1", "http://[::1]:1"])
def test_on_this_machine_http_will_do(url):
    assert base_url_of(url) == url.rstrip("/")


def test_it_is_told_in_one_line_how_to_mend_it(cli, folder):
    done = cli("agents", "list", "--url", URL)
    assert done.code == ExitCode.FOUND_WRONG
    assert "--token-env" in done.err
    nobody = cli("agents", "list", "--url", "http://127.0.0.1:9", "--token-file", "t")
    assert nobody.code == ExitCode.FOUND_WRONG
    (folder / "t").write_text("abc")
    away = cli("agents", "list", "--url", "http://127.0.0.1:9", "--token-file", "t")
    assert away.code == ExitCode.UNAVAILABLE
