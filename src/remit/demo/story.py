"""The story, step by step. Each step does the real thing and tells what came of it.

Every step checks what it tells: an answer other than the one the story announces
ends the demonstration with an error, so a regression cannot hide behind prose.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
from mcp.client.session import ElicitationFnT
from mcp.shared.exceptions import MCPError

from remit.demo.agent import (
    AgentSession,
    AuthorizationRefusedError,
    Exchange,
    Keyring,
    connect,
)
from remit.demo.evidence import receipt_of
from remit.demo.narrator import Narrator
from remit.demo.people_asked import (
    PeopleAsked,
    UnexpectedAnswerError,
    call_line,
    expect,
    text_of,
)
from remit.demo.person import Person
from remit.demo.stage import Stage, free_port

__all__ = ["Storyteller", "UnexpectedAnswerError", "leaves", "redirect_uri"]

WITHHELD = "crm:accounts.write"


def redirect_uri() -> str:
    """A loopback redirect URI on a free port: the port is the agent's to choose (RFC 8252 §7.3)."""
    return f"http://127.0.0.1:{free_port()}/callback"


class Storyteller:
    """Walks an agent through Remit, and tells it."""

    def __init__(
        self,
        stage: Stage,
        narrator: Narrator,
        *,
        callback: str,
        browse: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self._stage = stage
        self._say = narrator
        self._callback = callback
        self._browse = browse
        self._asked_again = False
        self.receipts: list[Mapping[str, Any]] = []
        """What came with the answers, and says which records they stand in."""
        self._dana = Person(
            username=stage.username,
            password=stage.password,
            keeps=self._keeps,
            tell=lambda line: self._say.why(f"Dana {line}"),
        )

    async def tell(self) -> None:
        """Everything up to the audit trail."""
        await self._knock()
        self._say.step("The agent finds its own way in")
        async with self._connect("crm") as crm:
            withheld = self._tell_the_dance(crm)
            await self._list(crm, withheld=withheld)
            await self._read(crm)
            if withheld:
                await self._write_without_scope(crm)
            await self._foreign_tenant(crm)
            await self._hidden_tool(crm)
            self._say.step("Another server, another token, and a limit on the amount")
            async with self._connect("payments") as payments:
                await self._amounts(payments)
            await self._people_asked(payments.keyring)
            await self._turned(crm)
            await self._revoke(crm)

    # -- the steps, in order ----------------------------------------------------

    async def _knock(self) -> None:
        self._say.step("A stranger knocks")
        url = self._stage.server("crm")
        self._say.asked(f"POST {url} without credentials")
        answer = await self._stage.knock("crm")
        expect(answer.status_code == 401, f"401, got {answer.status_code}")
        self._say.refused(f"401, WWW-Authenticate: {answer.headers['www-authenticate']}")
        self._say.why("the challenge says where to learn how to get in (RFC 9728)")

    def _tell_the_dance(self, crm: AgentSession) -> bool:
        """Tell how the agent came in; whether its user withheld the right to write."""
        for one in crm.exchanges:
            if (line := _dance_line(one)) is not None:
                self._say.asked(line)
        tokens = crm.keyring.tokens
        if tokens is None or tokens.scope is None:
            raise UnexpectedAnswerError("the story expected a token with its scope")
        self._say.allowed(
            f"a token for this server alone, {tokens.expires_in} s, scope: {tokens.scope}"
        )
        withheld = WITHHELD not in tokens.scope.split()
        expect(withheld or self._browse is not None, f"no {WITHHELD} in the token")
        if withheld:
            self._say.why(f"{WITHHELD} was asked for and withheld: the token does not carry it")
        else:
            self._say.why("everything was allowed; withhold a scope to see it missed and named")
        return withheld

    async def _list(self, crm: AgentSession, *, withheld: bool) -> None:
        self._say.step("What this agent sees")
        self._say.asked("tools/list")
        tools = [tool.name for tool in (await crm.client.list_tools()).tools]
        expected = {"list_accounts", "get_account"} | (set() if withheld else {"update_account"})
        expect(set(tools) == expected, f"a filtered list, got {tools}")
        self._say.allowed(", ".join(tools))
        self._say.why("the server has five tools; those this token may not use do not appear")

    async def _read(self, crm: AgentSession) -> None:
        self._say.step("A read within its remit")
        arguments = {"organization_id": "acme", "account_id": "acc-1001"}
        self._say.asked(call_line("get_account", arguments))
        result = await crm.call("get_account", arguments)
        expect(not result.is_error, "an allowed read")
        self._say.allowed(text_of(result))
        receipt = receipt_of(result)
        if receipt is None:
            raise UnexpectedAnswerError("the story expected a receipt with the answer")
        self.receipts.append(receipt)
        self._say.why(f"with a receipt: {_receipt_line(receipt)}")

    async def _write_without_scope(self, crm: AgentSession) -> None:
        self._say.step("A write nobody gave it")
        arguments = {"organization_id": "acme", "account_id": "acc-1001", "plan": "business"}
        self._say.asked(call_line("update_account", arguments))
        answer, error = await self._ask_again(crm.keyring, arguments)
        self._say.refused(f"403, WWW-Authenticate: {answer.challenge}")
        expect(WITHHELD in answer.challenge, f"the missing scope named: {answer.challenge}")
        self._say.why("the scope is named, so the agent went back and asked its user for it")
        if error is None and self._browse is not None:
            self._say.allowed("this time the answer was yes: the account was changed")
            return
        expect(
            error is not None and _root_cause(error, AuthorizationRefusedError) is not None,
            f"a refusal by the user: {error!r}",
        )
        after = await crm.call("get_account", {k: arguments[k] for k in arguments if k != "plan"})
        expect("starter" in text_of(after), f"an unchanged account: {text_of(after)}")
        self._say.refused("she said no; nothing was changed")

    async def _ask_again(
        self, keyring: Keyring, arguments: dict[str, Any]
    ) -> tuple[Exchange, BaseException | None]:
        """Call without the scope, from a connection of its own: a refused consent ends it."""
        exchanges: list[Exchange] = []
        self._asked_again = True
        try:
            async with self._connect("crm", keyring) as crm:
                exchanges = crm.exchanges
                await crm.call("update_account", arguments)
        except Exception as error:  # noqa: BLE001  whatever the SDK raises is what an agent would see
            return _refusal(exchanges, 403), error
        finally:
            self._asked_again = False
        return _refusal(exchanges, 403), None

    async def _foreign_tenant(self, crm: AgentSession) -> None:
        self._say.step("Another tenant's data")
        arguments = {"organization_id": "globex", "account_id": "acc-2001"}
        await self._refused_call(crm, "get_account", arguments, reason="forbidden")
        self._say.why("the scope is right; a policy compares the argument with the caller's tenant")

    async def _hidden_tool(self, crm: AgentSession) -> None:
        self._say.step("A tool it was never shown")
        arguments = {"organization_id": "acme", "account_id": "acc-1001"}
        hidden = await self._refused_call(crm, "delete_account", arguments, reason="not_found")
        missing = await self._refused_call(crm, "no_such_tool", arguments, reason="not_found")
        same = hidden.error.message.replace("delete_account", "no_such_tool")
        expect(same == missing.error.message, "one answer for hidden and missing")
        self._say.why("hidden and missing look the same: nothing can be learned by guessing names")

    async def _amounts(self, payments: AgentSession) -> None:
        self._say.why("payments runs over standard streams; the agent sees plain streamable HTTP")
        small = {"invoice_id": "inv-77", "amount": "49.00", "reason": "damaged parcel"}
        self._say.asked(call_line("refund", small))
        result = await payments.call("refund", small)
        expect(not result.is_error, f"an allowed refund: {text_of(result)}")
        self._say.allowed(text_of(result))
        large = {"invoice_id": "inv-79", "amount": "60000.00", "reason": "changed their mind"}
        refused = await self._refused_call(payments, "refund", large, reason="forbidden")
        expect("50,000.00" in refused.error.message, f"the limit named: {refused}")
        self._say.why("same tool, same token; the amount alone decides")

    async def _people_asked(self, keyring: Keyring) -> None:
        def connected(
            server: str, person: Person, elicit: ElicitationFnT | None = None
        ) -> AbstractAsyncContextManager[AgentSession]:
            known = keyring if person.username == self._stage.username else None
            return self._connect(server, known, person=person, elicit=elicit)

        asked = PeopleAsked(
            self._stage,
            self._say,
            dana=self._dana,
            connect=connected,
        )
        await asked.tell()

    async def _turned(self, crm: AgentSession) -> None:
        self._say.step("A server changes a tool that was trusted")
        self._stage.turn_crm()
        self._say.why(
            "the CRM now tells every model that reads `list_accounts` to leak its accounts"
        )
        self._say.asked("tools/list")
        tools = [tool.name for tool in (await crm.client.list_tools()).tools]
        expect("get_account" in tools and "list_accounts" not in tools, f"it is gone: {tools}")
        self._say.allowed(", ".join(tools))
        await self._refused_call(
            crm, "list_accounts", {"organization_id": "acme"}, reason="quarantined"
        )
        self._say.asked("remit servers review crm")
        waiting = await self._stage.remit("servers", "review", "crm", found=1)
        for line in _changed_lines(waiting):
            self._say.refused(line)
        self._say.why("no agent reads it until somebody has read the difference and admits it")

    async def _revoke(self, crm: AgentSession) -> None:
        self._say.step("An administrator ends the grant")
        grants = orjson.loads(await self._stage.remit("grants", "list", "--json"))
        grant = next(one for one in grants if one["resource"].endswith("/mcp/crm"))
        self._say.asked(f"remit grants revoke {grant['id']}")
        await self._stage.remit("grants", "revoke", grant["id"])
        tokens = crm.keyring.tokens
        expect(tokens is not None, "the agent still holds its token")
        answer = await self._stage.knock("crm", tokens.access_token if tokens else "")
        expect(answer.status_code == 401, f"401, got {answer.status_code}")
        self._say.refused(f"401, WWW-Authenticate: {answer.headers['www-authenticate']}")
        self._say.why("the token had minutes to live; it died with its grant, at once")

    # -- how a step is done -----------------------------------------------------

    def _connect(
        self,
        server: str,
        keyring: Keyring | None = None,
        *,
        person: Person | None = None,
        elicit: ElicitationFnT | None = None,
    ) -> AbstractAsyncContextManager[AgentSession]:
        walker = person or self._dana

        async def walk(url: str) -> str:
            return await walker.walk(url, self._callback)

        # In your own browser you are Dana, and nobody else.
        yours = self._browse if walker.username == self._stage.username else None
        return connect(
            self._stage.server(server),
            redirect_uri=self._callback,
            browse=yours or walk,
            keyring=keyring,
            elicit=elicit,
        )

    def _keeps(self, scope: str) -> bool:
        """Dana keeps the right to write to herself, and says no when asked for it again."""
        return scope != WITHHELD and not self._asked_again

    async def _refused_call(
        self, session: AgentSession, tool: str, arguments: dict[str, Any], *, reason: str
    ) -> MCPError:
        """Call a tool that must be refused for `reason`, in the words of the reference page."""
        self._say.asked(call_line(tool, arguments))
        try:
            result = await session.call(tool, arguments)
        except MCPError as error:
            data = error.error.data
            given = data.get("reason") if isinstance(data, dict) else None
            expect(given == reason, f"`{reason}`, got {error} ({data})")
            self._say.refused(str(error))
            return error
        raise UnexpectedAnswerError(f"`{tool}` was not refused: {text_of(result)}")


def _refusal(exchanges: list[Exchange], status: int) -> Exchange:
    found = next((one for one in reversed(exchanges) if one.status == status), None)
    if found is None:
        raise UnexpectedAnswerError(f"no answer with status {status}")
    return found


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions that a tree of exception groups is about."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in leaves(one)]
    return [error]


def _root_cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """Find `kind` among an exception's causes and groups."""
    if isinstance(error, kind):
        return error
    inner = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    inner += [cause for cause in (error.__cause__, error.__context__) if cause is not None]
    return next((hit for one in inner if (hit := _root_cause(one, kind)) is not None), None)


def _dance_line(one: Exchange) -> str | None:
    path = one.path
    if path.startswith("/.well-known/oauth-protected-resource"):
        return f"{one.method} {path} → {one.status}, which authorization server guards it"
    if path.startswith("/.well-known/"):
        return f"{one.method} {path} → {one.status}, where its endpoints are"
    if path == "/register":
        client_id = orjson.loads(one.body).get("client_id", "?")
        return f"{one.method} {path} → {one.status}, registered as {client_id}"
    if path == "/token":
        return f"{one.method} {path} → {one.status}, code and PKCE verifier for a token"
    return None


def _receipt_line(receipt: Mapping[str, Any]) -> str:
    """Where the decision stands in the log, for people."""
    decision = receipt.get("decision") or {}
    leaf = str(decision.get("leaf", ""))[:16]
    return f"record {decision.get('seq')} of {receipt.get('log')}, leaf {leaf}…"


def _changed_lines(review: str) -> list[str]:
    """The lines of a review that say what changed."""
    lines = [line.strip() for line in review.splitlines()]
    changed = [line for line in lines if line.startswith(("- ", "+ "))]
    expect(any("export_accounts" in line for line in changed), f"the difference: {review}")
    return changed
