import pytest
from mcp import Client

from remit.demo.payments_server import build

SMALL = {"invoice_id": "inv-77", "amount": "49.00", "reason": "damaged parcel"}


async def test_it_offers_three_tools():
    async with Client(build()) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {"get_invoice", "refund", "close_ledger"}


async def test_an_invoice_is_read():
    async with Client(build()) as client:
        read = await client.call_tool("get_invoice", {"invoice_id": "inv-77"})
        assert "129.00" in read.content[0].text
        assert (await client.call_tool("get_invoice", {"invoice_id": "inv-1"})).is_error


async def test_an_invoice_says_what_was_refunded():
    async with Client(build()) as client:
        await client.call_tool("refund", SMALL)
        read = await client.call_tool("get_invoice", {"invoice_id": "inv-77"})
        assert '"refunded": "49.00"' in read.content[0].text


async def test_no_more_is_refunded_than_was_paid():
    async with Client(build()) as client:
        for _ in range(2):
            assert "49.00" in (await client.call_tool("refund", SMALL)).content[0].text
        assert (await client.call_tool("refund", SMALL)).is_error
        assert not (await client.call_tool("refund", {**SMALL, "amount": "31.00"})).is_error


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0"},
        {"amount": "-5.00"},
        {"amount": "129.01"},
        {"amount": "much"},
        {"invoice_id": "x"},
    ],
)
async def test_a_refund_that_makes_no_sense_is_refused(change):
    async with Client(build()) as client:
        assert (await client.call_tool("refund", {**SMALL, **change})).is_error
