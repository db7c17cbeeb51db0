import json

import pytest

from remit.cli.exits import ExitCode

VALUE = "hunter2-of-the-crm"


def test_a_secret_is_read_from_standard_input_and_never_shown(cli, folder):
    done = cli("secrets", "set", "crm", "--reason", "new", stdin=f"{VALUE}\n")
    assert done.code == 0
    assert "stored:crm" in done.out + done.err
    listed = cli("secrets", "list")
    assert "crm" in listed.out
    [shown] = json.loads(cli("secrets", "list", "--json").out)
    assert shown["reference"] == "stored:crm"
    assert VALUE not in done.out + done.err + listed.out + json.dumps(shown)
    assert "removed" in cli("secrets", "remove", "crm", "--yes").out
    assert "no secrets" in cli("secrets", "list").err


def test_a_secret_is_read_from_a_file(cli, folder):
    (folder / "crm").write_text(VALUE)
    assert cli("secrets", "set", "crm", "--from-file", str(folder / "crm")).code == 0
    assert json.loads(cli("secrets", "list", "--json").out)[0]["name"] == "crm"


def test_a_secret_is_no_argument(cli, folder):
    done = cli("secrets", "set", "crm", VALUE)
    assert done.code == ExitCode.USAGE
    assert "secrets" not in json.dumps(json.loads(cli("secrets", "list", "--json").out))


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("crm",), "", "the secret is empty"),
        (("crm",), "\n", "the secret is empty"),
        (("crm",), "x" * 65_537, "the secret is empty or larger"),
        (("crm", "--from-file", "/nowhere"), "", "`/nowhere` cannot be read"),
        (("CRM",), VALUE, "lower-case letters"),
    ],
    ids=["nothing", "a line break", "too large", "no file", "no name"],
)
def test_what_cannot_be_kept_is_refused_and_not_repeated(cli, folder, arguments, stdin, says):
    done = cli("secrets", "set", *arguments, stdin=stdin)
    assert done.code != 0
    assert says in done.err
    assert VALUE not in done.err
    assert "no secrets" in cli("secrets", "list").err


def test_removing_takes_a_word_that_it_is_meant(cli, folder):
    cli("secrets", "set", "crm", stdin=VALUE)
    assert cli("secrets", "remove", "crm").code != 0
    assert "crm" in cli("secrets", "list").out
    assert cli("secrets", "remove", "other", "--yes").code != 0
