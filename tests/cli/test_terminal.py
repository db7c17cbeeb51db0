import json
import time

import pytest

from remit.audit import row
from remit.cli.terminal import (
    Column,
    ago,
    instant,
    print_event,
    print_fields,
    print_json,
    print_table,
    say,
    say_error,
    styled,
)


def test_a_table_in_a_pipe_is_neither_folded_nor_coloured(capsys):
    long = "x" * 200
    print_table([Column("A"), Column("B")], [(long, styled("active", "green"))], empty="none")
    assert capsys.readouterr().out.splitlines()[1] == f"{long}  active"


def test_a_name_is_cut_and_says_so(capsys):
    long = "A client that calls itself something very long indeed"
    print_table([Column("NAME", widest=40), Column("B")], [(long, "x"), ("y" * 40, "x")], empty="")
    _, cut, whole = capsys.readouterr().out.splitlines()
    assert cut == f"{long[:39]}…  x"
    assert whole == f"{'y' * 40}  x"


def test_no_rows_are_a_sentence_on_standard_error(capsys):
    print_table([Column("A")], [], empty="none yet: do this")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "none yet: do this" in printed.err


def test_nothing_from_outside_is_markup_or_moves_the_cursor(capsys):
    say("[bold]name[/bold] \x1b[2J\u202e")
    out = capsys.readouterr().out
    assert "[bold]name[/bold]" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize("write", [say, say_error])
def test_no_color_means_none(capsys, monkeypatch, write):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "")
    write("words")
    printed = capsys.readouterr()
    assert "\x1b[3" not in printed.out + printed.err


def test_an_error_says_what_to_do_next(capsys):
    say_error("it broke", mend="mend it")
    assert capsys.readouterr().err == "error: it broke\n  next: mend it\n"


def test_fields_without_a_value_are_left_out(capsys):
    print_fields([("name", "x"), ("purpose", "-"), ("owner", "y")])
    assert capsys.readouterr().out == "name   x\nowner  y\n"


def test_json_is_readable_and_whole(capsys):
    print_json([{"name": "Zoë"}])
    out = capsys.readouterr().out
    assert json.loads(out) == [{"name": "Zoë"}]
    assert "Zoë" in out


def test_times_are_iso_or_roughly_ago():
    assert instant(0) == "1970-01-01 00:00:00Z"
    assert instant(None) == "-"
    now = int(time.time())
    assert ago(now - 5).endswith("s ago")
    assert ago(now - 600) == "10 min ago"
    assert ago(now - 7200) == "2 h ago"
    assert ago(now - 3 * 86_400) == "3 d ago"
    assert ago(now + 100) == "in future"
    assert ago(None) == "-"


def test_an_event_is_one_line(capsys):
    body = {"outcome": "deny", "server": "crm", "name": "find", "reason": "forbidden"}
    print_event(row({"kind": "decision", "observed": "t", "body": body}))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split() == ["t", "decision", "deny", "crm/find", "forbidden"]
