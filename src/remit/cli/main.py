"""The command line: every command, and what becomes of an error.

Commands import what they need when they run: `remit --help` answers in a fraction of
the second that the rooms behind the commands take to import. Errors end as one line
that says what to do next and an exit code (`remit.cli.exits`), never as a traceback;
`python -X dev -m remit …` shows it to those who look for a defect.
"""

import os
import sys

import typer

from remit.cli.access import access
from remit.cli.actors import agents, clients
from remit.cli.allowed import connections, consents
from remit.cli.approvals import approvals
from remit.cli.bundles import bundles
from remit.cli.deploy import apply, promote, rollback
from remit.cli.deputies import deputies
from remit.cli.elevations import elevations
from remit.cli.emergency import emergency
from remit.cli.exits import ExitCode
from remit.cli.explain import explain
from remit.cli.grants import grants
from remit.cli.guards import guards
from remit.cli.history import history
from remit.cli.identities import identities
from remit.cli.keys import keys
from remit.cli.log import audit
from remit.cli.login import login
from remit.cli.operate import operate
from remit.cli.overview import Overview
from remit.cli.people import users
from remit.cli.plan import plan
from remit.cli.proposals import proposals
from remit.cli.reachable import what_can, who_can
from remit.cli.registrations import registration_tokens, registrations
from remit.cli.remote import remote_flags
from remit.cli.rules import rules
from remit.cli.secrets import secrets
from remit.cli.servers import servers
from remit.cli.sessions import sessions
from remit.cli.signer import signer
from remit.cli.sinks import sinks
from remit.cli.tables import run_decision_tables
from remit.cli.witness import witness
from remit.errors import Error

__all__ = ["app", "main"]

app = typer.Typer(
    name="remit",
    cls=Overview,
    help="An agent control plane for MCP: decides what AI agents may do, and proves what it decided.",
    epilog="To begin: remit demo, or remit init policy and then remit serve --repo policy. Every command answers to --help.",
    no_args_is_help=True,
    add_completion=False,
    # Rich help takes three times as long to import as everything else that `--help` needs.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(operate)
app.add_typer(users, name="users")
app.add_typer(identities, name="identities")
app.add_typer(consents, name="consents")
app.add_typer(connections, name="connections")
app.add_typer(sessions, name="sessions")
app.add_typer(agents, name="agents")
app.add_typer(clients, name="clients")
app.add_typer(registrations, name="registrations")
app.add_typer(registration_tokens, name="registration-tokens")
app.add_typer(grants, name="grants")
app.add_typer(approvals, name="approvals")
app.add_typer(elevations, name="elevations")
app.add_typer(deputies, name="deputies")
app.add_typer(access, name="access")
app.add_typer(emergency, name="emergency")
app.add_typer(keys, name="keys")
app.add_typer(bundles, name="bundles")
app.add_typer(proposals, name="proposals")
app.add_typer(servers, name="servers")
app.add_typer(guards, name="guards")
app.add_typer(rules, name="rules")
app.add_typer(secrets, name="secrets")
app.add_typer(history, name="history")
app.add_typer(audit, name="audit")
app.add_typer(signer, name="signer")
app.add_typer(witness, name="witness")
app.add_typer(sinks, name="sinks")
app.command("test")(run_decision_tables)
app.command("apply")(apply)
app.command("promote")(promote)
app.command("rollback")(rollback)
app.command("explain")(explain)
app.command("login")(login)
app.command("who-can")(who_can)
app.command("what-can")(what_can)
app.command("plan")(plan)


def main() -> None:
    """Run the command line; the process ends here."""
    try:
        with remote_flags(sys.argv, os.environ):
            app(prog_name="remit")
    except Error as error:
        sys.exit(_report(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        if isinstance(error, OSError) and isinstance(error.filename, str | os.PathLike):
            sys.exit(_report_file(error))
        _report_defect(error)
        sys.exit(ExitCode.DEFECT)


def _report(error: Error) -> ExitCode:
    from remit.cli.report import report_error  # imports rich: only when something is wrong

    return report_error(error)


def _report_file(error: OSError) -> ExitCode:
    """A file that was named on the command line, most of the time: no defect of ours."""
    from remit.cli.terminal import say_error

    told = (error.strerror or "it cannot be used").lower()
    say_error(f"`{os.fspath(error.filename)}`: {told}", mend="name a place that can be used")
    return ExitCode.FOUND_WRONG


def _report_defect(error: Exception) -> None:
    from remit.cli.terminal import say_error

    say_error(
        f"unforeseen: {type(error).__name__}",
        mend="run `python -X dev -m remit …` to see where, and report it",
    )
