"""The last thing before a server's program. What it holds a real process to is in test_child.py."""

import os
import subprocess
import sys

from remit.gateway.upstream import launcher


def _run(parent: int, limits: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, str(parent), limits, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_takes_its_place_with_its_own_words():
    done = _run(os.getpid(), "", "/bin/echo", "other-name", "a b", "$HOME;`id`")
    assert (done.returncode, done.stdout) == (0, "a b $HOME;`id`\n")


def test_nothing_is_started_for_a_parent_that_is_gone():
    done = _run(1_999_999, "", "/bin/echo", "echo", "hello")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_program_that_cannot_be_executed_is_said_without_its_name():
    done = _run(os.getpid(), "", "/no/such/program", "x", "secret")
    assert done.returncode == 127
    assert done.stderr == "the program cannot be started: FileNotFoundError\n"


def test_a_limit_that_is_none_starts_nothing():
    done = _run(os.getpid(), "files=many", "/bin/echo", "echo", "hello")
    assert (done.returncode, done.stdout) == (127, "")


def test_a_limit_is_in_force_when_the_program_begins():
    done = _run(os.getpid(), "files=33,cpu=7", "/bin/sh", "sh", "-c", "ulimit -n; ulimit -t")
    assert done.stdout.split() == ["33", "7"]


def test_a_broken_pipe_ends_the_program_as_it_would_elsewhere():
    shell = "trap | grep PIPE; grep SigIgn /proc/self/status"
    done = _run(os.getpid(), "", "/bin/sh", "sh", "-c", shell)
    ignored = int(done.stdout.split()[-1], 16)
    assert ignored & (1 << 12) == 0
