"""How an error is told: one line, what to do next, and the exit code.

Whole classes of errors are looked up by their stable code, so that nothing here
imports the rooms they come from.
"""

from collections.abc import Mapping
from types import MappingProxyType

from remit.cli.exits import ExitCode
from remit.cli.terminal import counted, say_error, say_hint
from remit.errors import Error

__all__ = ["report_error"]

_UNAVAILABLE = frozenset(
    {
        "settings_invalid", "data_folder", "data_folder_in_use", "listen", "not_reachable",
        "no_installation", "not_running", "migration_failed", "unsupported_database", "database_unavailable",
        "audit_unavailable", "audit_log_locked", "audit_log_damaged", "master_key", "unavailable",
        "self_test_failed", "audit_log_elsewhere", "audit_log_set_back", "audit_signer_moved",
        "audit_signer_unavailable", "signer_in_use", "signer_key_in_use", "signer_state", "signer_wire",
        "witness_damaged", "witness_identity", "witness_in_use",
    }
)  # fmt: skip

# Evidence that cannot be read proves nothing: to exit as for a log that was tampered with
# would raise the alarm, or teach people to ignore it.
_UNDECIDED = frozenset({"evidence"})

_NEXT: Mapping[str, str] = MappingProxyType(
    {
        "repository_missing": "name one with --repo, or write one: remit init policy",
        "repository_invalid": "correct it; `remit check --repo DIR` shows each with its line",
        "no_installation": "name its data folder with --data; `remit serve` begins one",
        "database_unavailable": "see that the database runs and its URL is right; `remit doctor` tells more",
        "migration_failed": "see that the database can be reached, and is not of a newer remit",
        "audit_unavailable": "see that its disk, or its database, has room and can be written; the server's own log says more",
        "audit_log_damaged": "keep the data folder as it is and run `remit audit verify DIR`",
        "audit_log_set_back": "bring back what is missing; where it is lost: `remit signer accept LOG`",
        "audit_signer_unavailable": "see that `remit signer serve` runs, and lets this user in",
        "signer_in_use": "stop the signer, or the server that has it as a child, and do it again",
        "self_test_failed": "do not serve with this installation: what it should refuse may pass; report it",
        "bad_signature": "see who is believed, and what to do: the guide to deploying policies; `remit bundles list` says what is in force",
        "bundle_malformed": "build it anew: `remit bundles build --out FILE`",
        "folder_decides": "start it with `policies` set to `auto`, and bundles come into force again",
        "not_a_second_person": "let somebody else look at it, and do it as themselves",
        "not_triable": "leave out --trial; where the rules ask for one, it waits for a second person then",
        "stronger_authentication_needed": "log in anew on the page that `remit approvals show` names, and answer there",
        "shown_changed": "look at it once more: remit approvals approve APPROVAL",
        "wrong_origin": "bring it from where it is in force: `remit promote --from URL`",
        "tests_failed": "see which and why: `remit test`",
        "not_reachable": "look at the log of the server; `remit doctor` tells more",
    }
)

_LISTED: Mapping[str, str] = MappingProxyType(
    {
        "agent": "remit agents list",
        "account": "remit users list",
        "bundle": "remit bundles list",
        "client": "remit clients list",
        "decision": "remit audit tail --kind decision",
        "grant": "remit grants list",
        "proposal": "remit proposals list",
        "request": "remit approvals list",
        "server": "remit servers list",
        "tool, resource or prompt": "remit servers show SERVER",
    }
)
"""What lists the things of which there is none of that name."""


def report_error(error: Error) -> ExitCode:
    """Tell `error` on standard error; returns how to exit."""
    reason = str(getattr(error, "reason", error.code))
    parts = getattr(error, "faults", None) or getattr(error, "problems", None) or ()
    # Its own detail is the first mistake, which stands among the parts.
    invalid = reason == "repository_invalid" and parts
    told = f"{counted(len(parts), 'mistake')} in the policy repository" if invalid else error.detail
    say_error(told, mend=_NEXT.get(reason) or _listing(told))
    for part in parts:
        say_hint(f"  {part}")
    if error.code in _UNDECIDED:
        return ExitCode.USAGE
    unavailable = reason in _UNAVAILABLE or error.code in _UNAVAILABLE
    return ExitCode.UNAVAILABLE if unavailable else ExitCode.FOUND_WRONG


def _listing(told: str) -> str:
    """Where to look when `told` is that there is no such thing; nothing when it is something else."""
    if told.startswith(("no bundle ", "more than one bundle ")):
        return f"see which there are: {_LISTED['bundle']}"
    _, _, what = told.partition("there is no such ")
    kind = next((one for one in _LISTED if what == one or what.startswith(f"{one} in the ")), None)
    return "" if kind is None else f"see which there are: {_LISTED[kind]}"
