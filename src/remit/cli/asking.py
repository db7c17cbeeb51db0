"""How a command asks the management API one thing: an operation by its name, and the answer.

Every command's call goes through here, so that none can ask for what the table lacks.
"""

from collections.abc import Mapping
from typing import Any

from remit.cli.options import Where

__all__ = ["call", "every"]


def call(
    where: Where,
    name: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str | int | None] | None = None,
    body: dict[str, Any] | None = None,
    may_begin: bool = False,
) -> dict[str, Any]:
    """The answer of the operation `name`."""
    from remit.cli.connection import Management, ask  # imports an HTTP client

    async def question(management: Management) -> dict[str, Any]:
        return await management.call(name, path=path, query=query, body=body)

    return ask(where, question, may_begin=may_begin)


def every(
    where: Where, name: str, members: str, query: Mapping[str, str | int | None] | None = None
) -> list[Any]:
    """Everything that the list `name` has, page after page."""
    from remit.cli.connection import Management, ask  # imports an HTTP client

    async def question(management: Management) -> list[Any]:
        return await management.every(name, members, query)

    return ask(where, question)
