"""The conformance suite's fixtures on a server of one era, which asks in that era's way. `ERA [--port N]`; without a port, stdio.

A fixture that the suite wants to ask by a result is made to ask by a request where the server has
sessions, and the other way round: what the suite then sees is what the gateway made of it.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import ElicitRequest, ElicitRequestFormParams, InputRequest, InputRequiredResult
from pydantic import BaseModel

from tests.e2e import everything_server
from tests.gateway.servers.one_era import only, speak_only


class _Name(BaseModel):
    name: str


class _Ok(BaseModel):
    ok: bool


def build(era: str) -> MCPServer:
    server = everything_server.build()
    tools = _by_result(server) if era == "modern" else _by_request(server)
    for tool in tools:
        server.remove_tool(tool.__name__)
        server.add_tool(tool, description="Asks in the way of its era.")
    if era == "legacy":
        _prompt_by_request(server)
    return server


def _by_request(server: MCPServer):
    """Fixtures that ask by a request in the middle of the call."""

    async def test_streaming_elicitation(ctx: Context) -> str:
        await ctx.report_progress(progress=1, total=2, message="half")
        await ctx.elicit(message="Your name?", schema=_Name)
        return "asked and answered"

    async def test_input_required_result_elicitation(ctx: Context) -> str:
        answer = await ctx.elicit(message="Your name?", schema=_Name)
        return f"Hello, {answer.data.name if answer.action == 'accept' else '?'}!"

    async def test_input_required_result_sampling(ctx: Context) -> str:
        answer = await ctx.session.create_message(
            messages=[everything_server._from_user("What is the capital of France?")],
            max_tokens=100,
            related_request_id=ctx.request_id,
        )
        return f"Model said: {answer.content.text}"

    async def test_input_required_result_list_roots(ctx: Context) -> str:
        return f"roots: {len((await ctx.session.list_roots()).roots)}"

    async def test_input_required_result_request_state(ctx: Context) -> str:
        await ctx.elicit(message="Is that so?", schema=_Ok)
        return "state-ok"

    async def test_input_required_result_tampered_state(ctx: Context) -> str:
        await ctx.elicit(message="Is that so?", schema=_Ok)
        return "state-ok"

    async def test_input_required_result_multi_round(ctx: Context) -> str:
        await ctx.elicit(message="Your name?", schema=_Name)
        await ctx.elicit(message="Your colour?", schema=_Name)
        return "Somebody likes something."

    async def test_input_required_result_multiple_inputs(ctx: Context) -> str:
        await ctx.elicit(message="Your name?", schema=_Name)
        await ctx.session.list_roots()
        return "two answers"

    async def test_input_required_result_capabilities(ctx: Context) -> str:
        client = ctx.session.client_params
        if client is not None and client.capabilities.elicitation is not None:
            await ctx.elicit(message="Your name?", schema=_Name)
        else:
            await test_input_required_result_sampling(ctx)
        return "asked"

    return (
        test_streaming_elicitation, test_input_required_result_elicitation,
        test_input_required_result_sampling, test_input_required_result_list_roots,
        test_input_required_result_request_state, test_input_required_result_tampered_state,
        test_input_required_result_multi_round, test_input_required_result_multiple_inputs,
        test_input_required_result_capabilities,
    )  # fmt: skip


def _prompt_by_request(server: MCPServer) -> None:
    server.remove_prompt("test_input_required_result_prompt")

    @server.prompt()
    async def test_input_required_result_prompt(ctx: Context) -> list[UserMessage]:
        """Asks what the message is to be about."""
        answer = await ctx.elicit(message="What is it about?", schema=_Name)
        about = answer.data.name if answer.action == "accept" else "?"
        return [UserMessage(content=everything_server._text(f"Think of {about}"))]


def _by_result(server: MCPServer):
    """Fixtures that ask by ending the call and being called again."""

    def asked(ctx: Context, message: str, form: type[BaseModel]) -> str | InputRequiredResult:
        answer = (ctx.input_responses or {}).get("answer")
        if answer is None:
            schema = form.model_json_schema()
            schema = {
                name: schema[name] for name in ("type", "properties", "required") if name in schema
            }
            params = ElicitRequestFormParams(message=message, requested_schema=schema)
            return _wanted(ElicitRequest(params=params))
        content = "{}" if answer.content is None else str(answer.content)
        return f"action={answer.action}, content={content}"

    async def test_sampling(prompt: str, ctx: Context) -> str | InputRequiredResult:
        answer = (ctx.input_responses or {}).get("answer")
        if answer is None:
            return _wanted(everything_server._sample(prompt))
        return f"LLM response: {answer.content.text}"

    async def test_elicitation(message: str, ctx: Context) -> str | InputRequiredResult:
        return asked(ctx, message, everything_server._Reply)

    async def test_elicitation_sep1034_defaults(ctx: Context) -> str | InputRequiredResult:
        return asked(ctx, "Who are you?", everything_server._Defaults)

    async def test_elicitation_sep1330_enums(ctx: Context) -> str | InputRequiredResult:
        return asked(ctx, "Which do you take?", everything_server._Choices)

    return (
        test_sampling, test_elicitation, test_elicitation_sep1034_defaults,
        test_elicitation_sep1330_enums,
    )  # fmt: skip


def _wanted(question: InputRequest) -> InputRequiredResult:
    return InputRequiredResult(input_requests={"answer": question})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("era", choices=["modern", "legacy"])
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    server = build(arguments.era)
    if arguments.port is None:
        speak_only(arguments.era)
        server.run("stdio")
        return
    app = only(arguments.era, server.streamable_http_app())
    uvicorn.run(app, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
