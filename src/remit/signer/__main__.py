"""The signer as a child of `remit serve`: standard input is the connection, the one argument the folder.

The first frame says under what keys are sealed at rest. Nothing is read from the environment or the command line that
would be a secret.
"""

import signal
import socket
import sys
from pathlib import Path

from remit.signer.desk import SignerDesk
from remit.signer.serving import converse
from remit.signer.state import SignerState
from remit.signer.wire import receive, send


def main() -> int:
    """Serve the one who started it, to its end; the exit status."""
    # A terminal's Ctrl-C goes to parent and child: the parent writes its last checkpoint first, and then closes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end = socket.socket(fileno=sys.stdin.fileno())
    first = receive(end)
    if first is None:
        return 0
    told = first[0].get("seal")
    state = SignerState(
        Path(sys.argv[1]), seal=bytes.fromhex(told) if isinstance(told, str) else None
    )
    with state.held(wait=True):
        send(end, {"ok": {}})
        converse(end, SignerDesk(state))
    return 0


if __name__ == "__main__":
    sys.exit(main())
