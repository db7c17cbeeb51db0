"""`remit witness serve`: the witness's door on a socket, with the limits that every door of Remit has."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from remit.app.server import listen_tcp, public_server
from remit.cli.terminal import say
from remit.clock import SystemClock
from remit.errors import Error
from remit.settings import Settings
from remit.witness.desk import WitnessDesk
from remit.witness.door import WitnessDoor
from remit.witness.identity import open_identity
from remit.witness.ledger import WitnessLedger
from remit_audit_verify.note import BadCheckpointError, VerifierKey

__all__ = ["WitnessLogError", "serve_witness"]


class WitnessLogError(Error):
    """A log's key that cannot be read."""

    code: ClassVar[str] = "witness_log"


def serve_witness(state: Path, *, name: str, logs: Sequence[str], host: str, port: int) -> None:
    """Serve until told to stop.

    Raises:
        WitnessLogError: one of `logs` is neither a key nor a file of keys.
        WitnessIdentityError, LedgerInUseError, ListenError: it cannot start.
    """
    keys = [key for said in logs for key in _keys(said)]
    with WitnessLedger(state) as ledger, closing(listen_tcp(host, port)) as listening:
        signers = open_identity(state, name)
        desk = WitnessDesk(name, signers, ledger, logs=keys, clock=SystemClock())
        server = public_server(WitnessDoor(desk), Settings(host=host, port=port))
        say(f"witness {name} at http://{host}:{listening.getsockname()[1]}")
        for key in desk.keys:
            say(f"  {key}")
        for log in desk.logs:
            say(f"  knows {log}")

        async def serving() -> None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, server.stop)
            await server.serve(sockets=[listening])

        asyncio.run(serving())


def _keys(said: str) -> list[VerifierKey]:
    try:
        if "+" in said and not Path(said).exists():
            return [VerifierKey.parse(said)]
        lines = Path(said).read_text(encoding="utf-8").splitlines()
        return [VerifierKey.parse(line) for line in lines if line.strip()]
    except (BadCheckpointError, OSError, UnicodeDecodeError) as error:
        raise WitnessLogError(
            f"`{said}` is neither the key of a log nor a file of such keys", cause=error
        ) from error
