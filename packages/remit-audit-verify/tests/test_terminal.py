import io

from remit_audit_verify.report import Verdict
from remit_audit_verify.saying import VERDICTS
from remit_audit_verify.terminal import Bar, painted
from remit_audit_verify.verify import LONG


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_log_has_a_bar_that_leaves_nothing_behind():
    stream = Terminal()
    bar = Bar(stream)
    bar.show(LONG, LONG)
    assert "100 %" in stream.getvalue()
    bar.close()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_short_log_and_a_file_have_none():
    for stream, total in ((Terminal(), LONG - 1), (io.StringIO(), LONG)):
        bar = Bar(stream)
        bar.show(total, total)
        bar.close()
        assert stream.getvalue() == ""


def test_verdicts_have_colours_on_a_terminal_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = f"log: {VERDICTS[Verdict.TAMPERED]}\n  log: {VERDICTS[Verdict.TAMPERED]}"
    assert painted(text, VERDICTS, stream=io.StringIO()) == text
    assert painted(text, VERDICTS, stream=Terminal()).count("\x1b[1;31m") == 1
    monkeypatch.setenv("NO_COLOR", "1")
    assert painted(text, VERDICTS, stream=Terminal()) == text
