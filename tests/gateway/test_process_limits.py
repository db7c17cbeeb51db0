"""What a process may take, in the launcher's words, and who belongs to it."""

import subprocess
import sys

import pytest

from remit.gateway.upstream.process_limits import (
    NO_PROCESS_LIMITS,
    ProcessLimits,
    family_of,
    kill_family,
)

CHILD = """
import os, subprocess, sys
os.setsid()
subprocess.Popen(["sleep", "300"])
subprocess.Popen(["sleep", "300"], start_new_session=True)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def leader():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        kill_family(process.pid)
        process.wait()


def test_limits_are_said_in_words_the_one_on_memory_last():
    assert NO_PROCESS_LIMITS.words() == ""
    limits = ProcessLimits(memory_bytes=1024, cpu_seconds=5, open_files=16, processes=2)
    assert limits.words() == "files=16,processes=2,cpu=5,memory=1024"


def test_a_family_is_a_session_and_whoever_left_it(leader):
    assert leader.pid in family_of(leader.pid)
    assert len(family_of(leader.pid)) == 3


def test_a_family_is_ended_to_the_last(leader):
    kill_family(leader.pid)
    leader.wait()
    assert family_of(leader.pid) == frozenset()


def test_nobody_is_of_the_family_of_a_process_that_is_not_there():
    assert family_of(2**22 + 1) == frozenset()
    kill_family(2**22 + 1)
