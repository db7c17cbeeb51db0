"""The part of the story in which people are asked: a refund that its person confirms, one that takes a manager, a role that ends.

Everybody here is played, and answers on the pages that people get; so is Dana, whoever consented in her place, for the
pages take a code of her app. Every answer other than the one that is announced ends the story.
"""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson
from mcp.client.session import ClientRequestContext, ElicitationFnT
from mcp_types import CallToolResult, ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from remit.demo.agent import AgentSession
from remit.demo.answering import answer, with_app
from remit.demo.narrator import Narrator
from remit.demo.person import Person
from remit.demo.stage import Stage

__all__ = ["PeopleAsked", "UnexpectedAnswerError", "call_line", "expect", "text_of"]

_LARGE: Final = {"invoice_id": "inv-78", "amount": "900.00", "reason": "delivered twice"}
_HUGE: Final = {"invoice_id": "inv-79", "amount": "6000.00", "reason": "lost at sea"}


class UnexpectedAnswerError(Exception):
    """Remit answered otherwise than the story says it does."""


class Connect(Protocol):
    """How an agent of the story connects to a server on behalf of a person."""

    def __call__(
        self, server: str, person: Person, elicit: ElicitationFnT | None = None
    ) -> AbstractAsyncContextManager[AgentSession]: ...


@dataclass(slots=True)
class _Page:
    """Shows the person what a server asks; `decide` opens it, and says whether it was opened."""

    decide: Callable[[str], Awaitable[bool]]

    async def __call__(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        if not isinstance(params, ElicitRequestURLParams):
            raise UnexpectedAnswerError("the story expected a page to open")
        opened = await self.decide(params.url)
        return ElicitResult(action="accept" if opened else "decline")


class PeopleAsked:
    """Tells these steps."""

    def __init__(self, stage: Stage, narrator: Narrator, *, dana: Person, connect: Connect) -> None:
        self._stage = stage
        self._say = narrator
        self._dana = dana
        self._connect = connect

    async def tell(self) -> None:
        """All three, in order."""
        mona = await self._meet("mona", "manager")
        self._dana = await with_app(self._dana, self._stage.url)
        await self._confirmed()
        await self._approved(mona)
        await self._ended(mona)

    async def _meet(self, name: str, role: str) -> Person:
        """Somebody new, with an authenticator app."""
        password = secrets.token_urlsafe(12)
        await self._stage.remit(
            "users", "add", name, "--tenant", "acme", "--role", role,
            "--display-name", name.capitalize(), "--password-stdin", stdin=f"{password}\n",
        )  # fmt: skip
        person = Person(
            username=name,
            password=password,
            keeps=lambda _: True,
            tell=lambda line: self._say.why(f"{name.capitalize()} {line}"),
        )
        return await with_app(person, self._stage.url)

    async def _confirmed(self) -> None:
        self._say.step("A refund that its person has to say yes to")
        page = _Page(self._dana_says_yes)
        async with self._connect("payments", self._dana, page) as payments:
            self._say.asked(call_line("refund", _LARGE))
            result = await payments.call("refund", _LARGE)
            expect(not result.is_error, f"a refund that was confirmed: {text_of(result)}")
            self._say.allowed(text_of(result))
            page.decide = self._nobody_opens
            self._say.asked(f"{call_line('refund', _LARGE)}, once more")
            again = await payments.call("refund", _LARGE)
            expect(again.is_error, f"the second to be asked about anew: {text_of(again)}")
            self._say.refused(text_of(again))
        self._say.why("the yes was for that call, once: these arguments, this agent, this person")

    async def _approved(self, mona: Person) -> None:
        self._say.step("A refund that takes a manager besides")

        async def both(url: str) -> bool:
            await self._dana_says_yes(url)
            told = await answer(mona, url)
            self._say.allowed(f"{told}, says the page to Mona")
            return True

        async with self._connect("payments", self._dana, _Page(both)) as payments:
            self._say.asked(call_line("refund", _HUGE))
            result = await payments.call("refund", _HUGE)
            expect(not result.is_error, f"a refund that was approved: {text_of(result)}")
            self._say.allowed(text_of(result))
        self._say.why(
            "two people; neither could have done it alone, and nobody for their own agent"
        )

    async def _ended(self, mona: Person) -> None:
        self._say.step("Access for minutes")
        sam = await self._meet("sam", "sales-manager")
        self._say.asked("remit access request billing-read --for sam --duration 10m …")
        wanted = await self._json(
            "access", "request", "billing-read", "--for", "sam", "--duration", "10m",
            "--reason", "a customer asks", "--tell", "ticket=FIN-204",
        )  # fmt: skip
        expect(wanted.get("state") == "waiting", f"access that waits for somebody: {wanted}")
        await answer(mona, f"{self._stage.url}/approvals/{wanted['approval']}")
        async with self._connect("payments", sam) as payments:
            tokens = payments.keyring.tokens
            if tokens is None:
                raise UnexpectedAnswerError("the story expected a token")
            expect(tokens.scope == "payments:invoices.read", f"that scope alone: {tokens.scope}")
            self._say.allowed(f"a token for {tokens.expires_in} s, scope: {tokens.scope}")
            result = await payments.call("get_invoice", {"invoice_id": "inv-77"})
            expect(not result.is_error, f"an invoice: {text_of(result)}")
            self._say.allowed(text_of(result))
            self._say.asked(f"remit access end {wanted['id']}")
            await self._stage.remit("access", "end", wanted["id"])
            refused = await self._stage.knock("payments", tokens.access_token)
        expect(refused.status_code == 401, f"401, got {refused.status_code}")
        self._say.refused("401: the token died with what it rested on, and the grant stays")
        self._say.why("left alone it would have ended by itself, and nothing renews it silently")

    async def _dana_says_yes(self, url: str) -> bool:
        self._say.asked(f"the agent shows Dana {urlsplit(url).path[:24]}…")
        told = await answer(self._dana, url)
        self._say.allowed(f"{told}, says the page to Dana")
        return True

    async def _nobody_opens(self, url: str) -> bool:
        return False

    async def _json(self, *arguments: str) -> dict[str, Any]:
        found = orjson.loads(await self._stage.remit(*arguments, "--json"))
        if not isinstance(found, dict):
            raise UnexpectedAnswerError(f"the story expected an object: {found}")
        return found


def call_line(tool: str, arguments: dict[str, Any]) -> str:
    """A call of a tool, in one line."""
    shown = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return f"tools/call {tool}({shown})"


def text_of(result: CallToolResult) -> str:
    """What a tool said, in one line."""
    text = " ".join(getattr(part, "text", "") for part in result.content)
    return " ".join(text.split())


def expect(condition: bool, what: str) -> None:  # noqa: FBT001  reads as an assertion
    """Go on with the story only if it is so.

    Raises:
        UnexpectedAnswerError: it is not.
    """
    if not condition:
        raise UnexpectedAnswerError(f"the story expected {what}")
