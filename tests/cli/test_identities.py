import json

from remit.cli.exits import ExitCode

PEOPLE = (
    "providers:\n  corp:\n    title: Corp\n    issuer: https://login.corp.example\n"
    "    client_id: remit\n    tenant: acme\n"
)


def test_an_identity_is_linked_when_it_is_meant_listed_and_unlinked(cli, folder, dana):
    (folder / "policy" / "people.yaml").write_text(PEOPLE)
    assert "logs in nowhere but here" in cli("identities", "list", dana).err
    identity = (dana, "corp", "00u1")
    assert cli("identities", "link", *identity).code == ExitCode.FOUND_WRONG
    assert cli("identities", "link", *identity, "--yes").out == "00u1 at corp is dana\n"
    assert "00u1" in cli("identities", "list", dana).out
    (listed,) = json.loads(cli("identities", "list", dana, "--json").out)
    assert listed["issuer"] == "https://login.corp.example"
    assert cli("identities", "unlink", *identity).out == "00u1 at corp is dana no more\n"
    assert cli("identities", "unlink", *identity).code == ExitCode.FOUND_WRONG


def test_neither_a_person_nor_a_provider_that_is_not_there_is_linked(cli, dana):
    for identity in (("nobody", "corp", "00u1"), (dana, "nowhere", "00u1")):
        done = cli("identities", "link", *identity, "--yes")
        assert done.code == ExitCode.FOUND_WRONG
        assert "there is no such" in done.err
