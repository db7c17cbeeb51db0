from tests.demo.conftest import Terminal


def test_steps_are_numbered_in_order(terminal):
    terminal.narrator.step("One thing")
    terminal.narrator.step("Another")
    assert [line for line in terminal.lines if line] == [" 1  One thing", " 2  Another"]


def test_each_kind_of_line_has_its_mark(terminal):
    say = terminal.narrator
    for tell in (say.asked, say.allowed, say.refused, say.why):
        tell("words")
    assert [line.split()[0] for line in terminal.lines] == ["→", "✔", "✘", "·"]


def test_nothing_of_a_long_line_is_cut_off():
    narrow = Terminal(width=40)
    narrow.narrator.refused("a" * 90 + "end")
    assert "".join(narrow.text.split()).replace("✘", "") == "a" * 90 + "end"


def test_what_servers_say_is_shown_and_not_taken_for_markup(terminal):
    terminal.narrator.refused("[red]injected[/red]")
    terminal.narrator.table(("what",), [("[link=x]y",)])
    assert "[red]injected[/red]" in terminal.text
    assert "[link=x]y" in terminal.text


def test_the_last_line_is_one_line_however_narrow_the_terminal():
    narrow = Terminal(width=12)
    narrow.narrator.last_line("audit log verified: 12345 records")
    assert narrow.lines[-1] == "audit log verified: 12345 records"


def test_a_table_has_its_columns_and_all_of_its_rows(terminal):
    terminal.narrator.table(("time", "what"), [("10:00", "decision"), ("10:01", "token.issued")])
    assert [line.split() for line in terminal.lines] == [
        ["time", "what"],
        ["10:00", "decision"],
        ["10:01", "token.issued"],
    ]
