import json

from remit.cli.exits import ExitCode


def test_a_token_that_lets_others_register_is_shown_once_and_revoked(cli, folder):
    done = cli("registration-tokens", "create", "--owner", "crm@acme.example")
    assert done.out.startswith("rmt_iat_")
    assert "not shown again" in done.err
    (token,) = json.loads(cli("registration-tokens", "list", "--json").out)
    assert "token" not in token
    assert token["id"] in cli("registration-tokens", "list").out
    assert "is revoked" in cli("registration-tokens", "revoke", token["id"]).out
    again = cli("registration-tokens", "revoke", token["id"])
    assert again.code == ExitCode.FOUND_WRONG


def test_nobody_waits_and_nobody_who_does_not_is_decided_upon(cli, folder):
    assert "nobody waits" in cli("registrations", "list").err
    for verb in ("approve", "reject"):
        assert cli("registrations", verb, "nobody").code == ExitCode.FOUND_WRONG


def test_a_person_is_signed_out_and_given_new_means_to_prove_who_they_are(cli, dana):
    assert "logged in nowhere" in cli("sessions", "list", dana).err
    assert cli("sessions", "end", dana, "--yes").out == "0 sessions ended\n"
    assert cli("sessions", "end", dana, "ses_none").code == ExitCode.FOUND_WRONG
    done = cli(
        "users", "reset-password", dana, "--password-stdin", stdin="another horse, another staple\n"
    )
    assert done.out == "dana has a new password\n"
    assert cli("users", "reset-factors", dana, "--yes").out == "dana has no second factor\n"


def test_all_grants_of_somebody_are_ended_only_when_somebody_is_named(cli, dana):
    assert cli("grants", "revoke").code == ExitCode.USAGE
    assert cli("grants", "revoke", "grt_x", "--user", dana).code == ExitCode.USAGE
    assert cli("grants", "revoke", "--user", dana).out == "0 grants revoked\n"
    assert cli("grants", "revoke", "--user", "nobody").code == ExitCode.FOUND_WRONG
    assert cli("grants", "show", "grt_x").code == ExitCode.FOUND_WRONG


def test_a_client_of_the_repository_is_shown_and_not_removed(cli, folder):
    assert "billing-job" in cli("clients", "show", "billing-job").out
    assert cli("clients", "remove", "billing-job", "--yes").code == ExitCode.FOUND_WRONG
