"""How a child process is started, and what of our own it sees."""

import sys

from remit.gateway.upstream.child import Launch


def test_the_child_sees_four_of_our_variables_and_those_it_was_given():
    launch = Launch(name="x", command=("python",), environment={"KEY": "v", "TZ": "UTC"})
    own = {
        "PATH": "/bin",
        "HOME": "/h",
        "LANG": "C",
        "TZ": "CET",
        "REMIT_MASTER_KEY": "k",
        "AWS_SECRET": "s",
    }
    assert launch.variables(own) == {
        "PATH": "/bin",
        "HOME": "/h",
        "LANG": "C",
        "TZ": "UTC",
        "KEY": "v",
    }


def test_python_as_first_word_is_the_interpreter_that_runs_remit():
    assert Launch(name="x", command=("python", "-m", "m")).argv() == (sys.executable, "-m", "m")


def test_another_program_is_started_as_it_is_named():
    assert Launch(name="x", command=("/opt/python", "python")).argv() == ("/opt/python", "python")
