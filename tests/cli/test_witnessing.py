import signal
import subprocess
import sys

import httpx2
import pytest

from remit.cli.exits import ExitCode
from tests.witness.conftest import Log


def test_what_is_no_key_of_a_log_is_no_start(cli, folder):
    for said in ("remit/main+00000000+AAAA", "nowhere.pub"):
        done = cli("witness", "serve", "--name", "w.example/1", "--log", said, "--port", "0")
        assert done.code == ExitCode.FOUND_WRONG
        assert "neither the key of a log nor a file" in done.err


@pytest.mark.e2e
def test_a_witness_signs_over_a_real_socket_and_stops_when_told(tmp_path):
    log = Log()
    (tmp_path / "log.pub").write_text(f"{log.verifier}\n")
    command = [sys.executable, "-m", "remit", "witness", "serve", "--name", "w.example/1"]
    running = subprocess.Popen(
        [*command, "--log", "log.pub", "--port", "0"], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    with running:
        try:
            url = running.stdout.readline().split()[-1]
            answer = httpx2.post(f"{url}/add-checkpoint", content=log.submission(0, 5).to_bytes())
            assert (answer.status_code, answer.text[:2]) == (200, "— ")
            again = httpx2.post(f"{url}/add-checkpoint", content=log.submission(0, 9).to_bytes())
            assert (again.status_code, again.text) == (409, "5\n")
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)
    assert running.returncode == 0
