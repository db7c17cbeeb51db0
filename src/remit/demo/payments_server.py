"""A small payments ledger as an MCP server over standard streams, on the official SDK.

Remit starts it as a child process. Run it alone with `python -m remit.demo.payments_server`
and speak JSON-RPC to its standard input.
"""

from decimal import Decimal

from mcp.server.mcpserver import MCPServer

__all__ = ["build", "main"]

_INVOICES = {
    "inv-77": Decimal("129.00"),
    "inv-78": Decimal("2400.00"),
    "inv-79": Decimal("9800.00"),
}


def build() -> MCPServer:
    """The server with its tools."""
    server = MCPServer("payments", title="Payments", version="1.0.0")
    refunded: dict[str, Decimal] = {}

    @server.tool()
    def get_invoice(invoice_id: str) -> dict[str, str]:
        """Read one invoice."""
        if invoice_id not in _INVOICES:
            raise ValueError(f"no invoice {invoice_id}")
        return {
            "invoice_id": invoice_id,
            "amount": str(_INVOICES[invoice_id]),
            "refunded": f"{refunded.get(invoice_id, Decimal(0)):.2f}",
            "currency": "USD",
        }

    @server.tool()
    def refund(invoice_id: str, amount: str, reason: str) -> dict[str, str]:
        """Refund an amount in USD, such as `49.00`, against an invoice."""
        value = Decimal(amount)
        already = refunded.get(invoice_id, Decimal(0))
        if invoice_id not in _INVOICES:
            raise ValueError(f"no invoice {invoice_id}")
        if value <= 0 or value + already > _INVOICES[invoice_id]:
            raise ValueError("the amount is more than what is left of the invoice")
        refunded[invoice_id] = already + value
        return {"invoice_id": invoice_id, "refunded": f"{value:.2f}", "reason": reason}

    @server.tool()
    def close_ledger(month: str) -> str:
        """Close the ledger of a month for good."""
        return f"ledger {month} closed"

    return server


def main() -> None:
    """Serve on standard input and output until they close."""
    build().run("stdio")


if __name__ == "__main__":
    main()
