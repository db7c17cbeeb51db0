"""In which order the kernel is asked: the record, the disk, and only then the server; the outcome, the disk, the answer.

Source: AUDIT §0.2 (a test must show the sync before the answer), §1.5.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.durability import House, house_in

pytestmark = pytest.mark.e2e

TRACED = "write,writev,pwrite64,sendto,sendmsg,fdatasync,fsync"
CALLS = 6


def can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-e", "trace=write", "-o", "/dev/null", "true"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


@pytest.mark.skipif(not can_trace(), reason="nothing can be traced here")
async def test_nothing_leaves_before_its_record_is_on_stable_storage(tmp_path):
    trace = tmp_path / "trace"
    strace = (
        "strace",
        "-f",
        "--seccomp-bpf",
        "-yy",
        "-s",
        "65536",
        "-e",
        f"trace={TRACED}",
        "-o",
        str(trace),
    )
    async with house_in(tmp_path, prefix=strace) as house:
        for n in range(CALLS):
            assert (await house.call(f"sampled-{n}")).status_code == 200
        await house.stop()
        steps = Steps(trace, house)
        for n in range(CALLS):
            assert steps.of(f"sampled-{n}") == [
                "intent written",
                "synced",
                "server called",
                "outcome written",
                "synced",
                "caller answered",
            ]


class Steps:
    """What of the trace is a step of a call. Calls came one after the other."""

    def __init__(self, trace: Path, house: House) -> None:
        self._lines = finished(trace.read_text(errors="replace").splitlines())
        self._segment = f"{house.data}/audit/main/00000000000000000000.jsonl>"
        self._port = house.port

    def of(self, account: str) -> list[str]:
        found: list[str] = []
        decision = ""
        for line in self._lines:
            step = ""
            if self._segment in line:
                if re.search(r"\bf(data)?sync\(", line):
                    step = "synced" if found and found[-1].endswith("written") else ""
                elif f'\\"jsonrpc_id\\":\\"{account}\\"' in line:
                    step = "intent written"
                    decision = re.search(r'\\"decision_id\\":\\"(dec_\w+)', line)[1]
                elif decision and f'\\"decision_id\\":\\"{decision}' in line:
                    step = "outcome written"
            elif "TCP" in line and account in line:
                ours = re.search(rf"TCP(v6)?:\[[^>]*:{self._port}->", line)
                step = "caller answered" if ours else "server called"
            if step and not (found and found[-1] == step):
                found.append(step)
        return found


def finished(lines: list[str]) -> list[str]:
    """The calls in the order in which they came back; of a sync, when it began counts for nothing."""
    begun: dict[str, str] = {}
    done: list[str] = []
    for line in lines:
        thread, _, rest = line.partition(" ")
        if rest.endswith("<unfinished ...>"):
            begun[thread] = rest.removesuffix("<unfinished ...>")
            if not re.match(r"\s*f(data)?sync\(", rest):
                done.append(rest)  # what is sent may arrive before the call is back
                begun[thread] = ""
        elif " resumed>" in rest:
            whole = begun.pop(thread, "")
            if whole:
                done.append(whole + rest.partition(" resumed>")[2])
        else:
            done.append(rest)
    return done
