"""What the story expects of Remit when people are asked; that it gets it, the story itself shows."""

from types import SimpleNamespace

import pytest
from mcp_types import CallToolResult, TextContent

from remit.demo.people_asked import UnexpectedAnswerError, call_line, expect, text_of


def test_a_call_is_one_line():
    line = call_line("refund", {"invoice_id": "inv-77", "amount": "49.00"})
    assert line == "tools/call refund(invoice_id=inv-77, amount=49.00)"


def test_what_a_tool_says_is_one_line():
    parts = [TextContent(type="text", text="a\n b"), TextContent(type="text", text="c")]
    assert text_of(CallToolResult(content=parts)) == "a b c"
    assert text_of(SimpleNamespace(content=[])) == ""


def test_another_answer_ends_the_story():
    expect(True, "nothing")
    with pytest.raises(UnexpectedAnswerError, match="the story expected a refund"):
        expect(False, "a refund")
