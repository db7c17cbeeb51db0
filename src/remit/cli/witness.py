"""`remit witness`: a witness for the logs of others, on a machine that is not theirs."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["witness"]

witness = typer.Typer(
    help="A witness of others' logs: signs that they only grew.", no_args_is_help=True
)

_State = Annotated[
    Path, typer.Option("--state", metavar="DIR", help="Where it keeps keys and what it saw.")
]
_Name = Annotated[
    str,
    typer.Option(
        "--name", metavar="NAME", help="What its keys are called, such as `witness.example/w1`."
    ),
]


@witness.command("serve")
def serve(
    name: _Name,
    log: Annotated[
        list[str],
        typer.Option(
            "--log",
            metavar="KEY",
            help="Verifier key of a log (a line of `log.pub`), or a file of them; may be repeated.",
        ),
    ],
    state: _State = Path("witness"),
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8700,
) -> None:
    """Sign checkpoints of the logs whose keys it is given, until it is stopped (C2SP tlog-witness)."""
    from remit.cli.witnessing import serve_witness

    serve_witness(state, name=name, logs=log, host=host, port=port)


@witness.command("keys")
def keys(name: _Name, state: _State = Path("witness")) -> None:
    """Show its verifier keys, made if there are none: one of them goes into `audit.yaml` of those it witnesses for."""
    from remit.cli.terminal import say
    from remit.witness.identity import open_identity
    from remit_audit_verify.cosignature import WitnessKey

    for key in open_identity(state, name):
        say(str(WitnessKey.of(name, key)))
