"""`remit signer`: the process that signs the audit log, where it is to be a user of its own."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.confirmation import Yes, confirm

__all__ = ["signer"]

signer = typer.Typer(help="The process that signs the audit log.", no_args_is_help=True)

_State = Annotated[
    Path,
    typer.Option("--state", metavar="DIR", help="Where it keeps keys and trees; mode 0700."),
]


@signer.command("serve")
def serve(
    socket: Annotated[
        Path,
        typer.Option(
            "--socket", metavar="PATH", help="Where it listens: audit_signer of the server."
        ),
    ],
    state: _State = Path("signer"),
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="USER",
            show_default=False,
            help="User whose processes may ask; may be repeated.  [default: its own]",
        ),
    ] = None,
) -> None:
    """Sign for the servers that run as certain users, until it is stopped.

    What it signed is in DIR before anybody has the signature, and it signs nothing that does not continue it.
    """
    from remit.cli.terminal import say
    from remit.signer.desk import SignerDesk
    from remit.signer.serving import listen, serve_forever
    from remit.signer.state import SignerState

    users = frozenset(_user_id(name) for name in allow or [getpass.getuser()])
    kept = SignerState(state)
    with kept.held():
        listening = listen(socket)
        say(f"signing at {socket}")
        try:
            serve_forever(
                listening,
                SignerDesk(kept),
                users=users,
                refused=lambda user: say(f"refused a process of user {user}"),
            )
        finally:
            listening.close()
            socket.unlink(missing_ok=True)


@signer.command("keys")
def keys(
    log: Annotated[str, typer.Argument(metavar="LOG", help="Such as `remit/main`.")],
    state: _State = Path("signer"),
) -> None:
    """Show the verifier keys of a log: the one in use first. Keep them where the log is not."""
    from remit.cli.terminal import say
    from remit.signer.desk import SignerDesk
    from remit.signer.errors import UnknownLogError
    from remit.signer.state import SignerState

    kept = SignerState(state)
    if not kept.has_key(log):
        raise UnknownLogError(f"there is no key for `{log}`")
    for line in SignerDesk(kept).verifiers(log):
        say(line)


@signer.command("accept")
def accept(
    log: Annotated[str, typer.Argument(metavar="LOG", help="Such as `remit/main`.")],
    state: _State = Path("signer"),
    yes: Yes = False,
) -> None:
    """Believe a log that was set back, the next time it is opened: after a restore that lost records.

    Refused while the signer runs: stop it, and the server, first. Witnesses, receipts and kept checkpoints still show
    what is gone.
    """
    from remit.cli.terminal import say
    from remit.signer.errors import UnknownLogError
    from remit.signer.state import SignerState

    kept = SignerState(state)
    if not kept.has_key(log):
        raise UnknownLogError(f"there is no key for `{log}`")
    with kept.held():
        confirm(f"Sign {log} as it is found, though it may lack records that were signed?", yes=yes)
        kept.forget_tree(log)
    say(f"{log} is believed once")


def _user_id(name: str) -> int:
    from pwd import getpwnam

    if name.isdecimal():
        return int(name)
    try:
        return getpwnam(name).pw_uid
    except KeyError:
        if name == getpass.getuser():
            return os.geteuid()
        raise typer.BadParameter(f"there is no user `{name}`", param_hint="--allow") from None
