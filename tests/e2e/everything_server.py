"""The fixtures that the official conformance suite asks a server for, on the official SDK.

The suite looks for each by its name and judges what comes back, so names, texts it quotes and the
order of things are its own. `everything_server.py --port N` speaks streamable HTTP, without
arguments standard streams.
"""

import argparse
import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer, RequestStateSecurity
from mcp.server.mcpserver.prompts.base import Prompt, UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    Completion,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field

# A transparent dot, and a sound of no length.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
_KEY = b"a key for fixtures, thirty-two bytes at least"


def build() -> MCPServer:
    """A server with every fixture."""
    server = MCPServer(
        "everything", version="1.0.0", request_state_security=RequestStateSecurity(keys=[_KEY])
    )
    for add in (_contents, _reports, _questions, _refusals, _input, _changes, _resources, _prompts):
        add(server)
    _below(server)
    return server


def _contents(server: MCPServer) -> None:
    image = ImageContent(type="image", data=PNG, mime_type="image/png")

    @server.tool()
    def test_simple_text() -> str:
        """One piece of text."""
        return "This is a simple text response for testing."

    @server.tool()
    def test_image_content() -> list[ImageContent]:
        """One image."""
        return [image]

    @server.tool()
    def test_audio_content() -> list[AudioContent]:
        """One sound."""
        return [AudioContent(type="audio", data=WAV, mime_type="audio/wav")]

    @server.tool()
    def test_embedded_resource() -> list[EmbeddedResource]:
        """One resource within the answer."""
        return [_embedded("test://embedded-resource", "text/plain", "embedded")]

    @server.tool()
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        """Text, an image and a resource in one answer."""
        resource = _embedded("test://mixed-content-resource", "application/json", '{"mixed": true}')
        return [_text("Multiple content types test:"), image, resource]

    @server.tool(name="json_schema_2020_12_tool")
    def json_schema() -> str:
        """A tool whose schema has every keyword that a careless copy would lose."""
        return "json_schema_2020_12_tool"

    # The SDK makes schemas of signatures; no signature makes this one.
    server._tool_manager._tools["json_schema_2020_12_tool"].parameters = _SCHEMA_2020_12


def _reports(server: MCPServer) -> None:
    @server.tool()
    async def test_tool_with_logging(ctx: Context) -> str:
        """Says what it does while it does it."""
        for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(line)
            await asyncio.sleep(0.05)
        return "done, and logged"

    @server.tool()
    async def test_tool_with_progress(ctx: Context) -> str:
        """Says how far it has come."""
        for done in (0, 50, 100):
            await ctx.report_progress(progress=done, total=100, message=f"{done} of 100")
            await asyncio.sleep(0.05)
        return "done, step by step"

    @server.tool()
    async def test_logging_tool(ctx: Context) -> str:
        """Says something to whoever asked to hear it."""
        await ctx.info("said")
        return "done"

    @server.tool()
    async def test_reconnection(ctx: Context) -> str:
        """Hangs up on the one who asked, and has the answer ready when they are back."""
        await ctx.info("before")
        await ctx.close_sse_stream()
        await asyncio.sleep(0.2)
        await ctx.info("after")
        return "still here"


class _Reply(BaseModel):
    response: str = Field(description="What the person says")


class _Defaults(BaseModel):
    name: str = Field(default="John Doe")
    age: int = Field(default=30)
    score: float = Field(default=95.5)
    status: str = Field(
        default="active", json_schema_extra={"enum": ["active", "inactive", "pending"]}
    )
    verified: bool = Field(default=True)


def _titled(**titles: str) -> list[dict[str, str]]:
    return [{"const": value, "title": title} for value, title in titles.items()]


class _Choices(BaseModel):
    untitledSingle: str = Field(json_schema_extra={"enum": ["option1", "option2", "option3"]})  # noqa: N815
    titledSingle: str = Field(  # noqa: N815
        json_schema_extra={"oneOf": [*_titled(value1="First", value2="Second", value3="Third")]}
    )
    untitledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={"items": {"type": "string", "enum": ["option1", "option2", "option3"]}}
    )
    titledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={
            "items": {"anyOf": [*_titled(value1="First", value2="Second", value3="Third")]}
        }
    )
    legacyEnum: str = Field(  # noqa: N815
        json_schema_extra={"enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]}
    )


def _questions(server: MCPServer) -> None:
    """What a server of 2025-11-25 asks its client while the call is open."""

    async def ask(ctx: Context, message: str, form: type[BaseModel]) -> str:
        answer = await ctx.elicit(message=message, schema=form)
        content = answer.data.model_dump_json() if answer.action == "accept" else "{}"
        return f"action={answer.action}, content={content}"

    @server.tool()
    async def test_sampling(prompt: str, ctx: Context) -> str:
        """Asks the client's model."""
        # Without the id of the call, the question would go to a stream that may not be open yet.
        answer = await ctx.session.create_message(
            messages=[_from_user(prompt)], max_tokens=100, related_request_id=ctx.request_id
        )
        return f"LLM response: {answer.content.text if answer.content.type == 'text' else '?'}"

    @server.tool()
    async def test_elicitation(message: str, ctx: Context) -> str:
        """Asks the person."""
        return "User response: " + await ask(ctx, message, _Reply)

    @server.tool()
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        """Asks with a default for every kind of value."""
        return "Elicitation completed: " + await ask(ctx, "Who are you?", _Defaults)

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        """Asks with every way to write a choice."""
        return "Elicitation completed: " + await ask(ctx, "Which do you take?", _Choices)


def _refusals(server: MCPServer) -> None:
    @server.tool()
    def test_error_handling() -> str:
        """Fails."""
        raise RuntimeError("This tool intentionally returns an error for testing")

    @server.tool()
    def test_x_mcp_header(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "nowhere",
    ) -> str:
        """Takes an argument that a header repeats."""
        return f"region={region}"

    @server.tool()
    async def test_missing_capability(ctx: Context) -> str:
        """Is for clients with a model, and says so to others."""
        capabilities = ctx.session.client_capabilities
        if capabilities is None or capabilities.sampling is None:
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="this tool needs a client that samples",
                data={"requiredCapabilities": {"sampling": {}}},
            )
        return "the client samples"


def _input(server: MCPServer) -> None:
    """What a server of 2026-07-28 asks by ending the call and being called again."""
    _single_questions(server)
    _rounds(server)

    @server.tool()
    async def test_input_required_result_capabilities(ctx: Context) -> InputRequiredResult:
        """Asks only what the client can answer."""
        able = ctx.client_capabilities
        questions: dict[str, InputRequest] = {}
        if able is None or able.sampling is not None:
            questions["sample"] = _sample("Say hello")
        if able is None or able.elicitation is not None:
            questions["name"] = _form("What is your name?", "name")
        return InputRequiredResult(input_requests=questions, request_state="by capability")


def _single_questions(server: MCPServer) -> None:
    @server.tool()
    async def test_streaming_elicitation(ctx: Context) -> str | InputRequiredResult:
        """Asks the person, after it has begun to answer."""
        await ctx.report_progress(progress=1, total=2, message="half")
        if "user_name" in (ctx.input_responses or {}):
            return "asked and answered"
        return InputRequiredResult(input_requests={"user_name": _form("Your name?", "name")})

    @server.tool()
    async def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
        """Asks the person for a name."""
        if "user_name" in (answers := ctx.input_responses or {}):
            return f"Hello, {_filled_in(answers['user_name'], 'name')}!"
        return InputRequiredResult(input_requests={"user_name": _form("Your name?", "name")})

    @server.tool()
    async def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
        """Asks the client's model a question."""
        answer = (ctx.input_responses or {}).get("capital_question")
        if isinstance(answer, CreateMessageResult):
            return f"Model said: {answer.content.text if answer.content.type == 'text' else '?'}"
        question = _sample("What is the capital of France?")
        return InputRequiredResult(input_requests={"capital_question": question})

    @server.tool()
    async def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
        """Asks which folders the client opens."""
        if "client_roots" in (answers := ctx.input_responses or {}):
            return f"roots: {len(getattr(answers['client_roots'], 'roots', ()))}"
        return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})

    @server.tool()
    async def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
        """Asks three things in one go."""
        questions: dict[str, InputRequest] = {
            "user_name": _form("Your name?", "name"),
            "greeting": _sample("Write a greeting"),
            "client_roots": ListRootsRequest(),
        }
        if questions.keys() <= (ctx.input_responses or {}).keys():
            return "three answers"
        return InputRequiredResult(input_requests=questions, request_state="three questions")


def _rounds(server: MCPServer) -> None:
    @server.tool()
    async def test_input_required_result_request_state(ctx: Context) -> str | InputRequiredResult:
        """Wants back what it gave away."""
        if "confirm" in (ctx.input_responses or {}) and ctx.request_state == "kept":
            return "state-ok"
        confirm = _form("Is that so?", "ok", kind="boolean")
        return InputRequiredResult(input_requests={"confirm": confirm}, request_state="kept")

    @server.tool()
    async def test_input_required_result_tampered_state(ctx: Context) -> str | InputRequiredResult:
        """Never sees what somebody changed on the way: the SDK has sealed it."""
        if ctx.request_state is not None:
            return f"state-ok: {ctx.request_state}"
        confirm = _form("Is that so?", "ok", kind="boolean")
        return InputRequiredResult(input_requests={"confirm": confirm}, request_state="sealed")

    @server.tool()
    async def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
        """Asks one thing after the other, and remembers through its state alone."""
        said: list[str] = json.loads(ctx.request_state or "[]")
        answers = ctx.input_responses or {}
        step = f"step{len(said) + 1}"
        if ctx.request_state is not None and step in answers:
            said.append(_filled_in(answers[step], ("name", "color")[len(said)]))
        if len(said) == 2:
            return f"{said[0]} likes {said[1]}."
        field = ("name", "color")[len(said)]
        return InputRequiredResult(
            input_requests={f"step{len(said) + 1}": _form(f"Your {field}?", field)},
            request_state=json.dumps(said),
        )


def _changes(server: MCPServer) -> None:
    """Lists that change for a moment, which whoever listens is told."""

    @server.tool()
    async def test_trigger_tool_change(ctx: Context) -> str:
        """Adds a tool and takes it away."""
        server.add_tool(lambda: "here", name="test_passing_tool")
        server.remove_tool("test_passing_tool")
        await ctx.notify_tools_changed()
        return "the tools have changed"

    @server.tool()
    async def test_trigger_prompt_change(ctx: Context) -> str:
        """Adds a prompt and takes it away."""
        server.add_prompt(Prompt.from_function(lambda: "here", name="test_passing_prompt"))
        server.remove_prompt("test_passing_prompt")
        await ctx.notify_prompts_changed()
        return "the prompts have changed"


def _resources(server: MCPServer) -> None:
    @server.resource("test://static-text")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://template/{id}/data")
    def template(id: str) -> str:  # noqa: A002
        return json.dumps({"id": id, "templateTest": True})

    @server.resource("test://watched-resource")
    def watched() -> str:
        return "watched"


def _prompts(server: MCPServer) -> None:
    def messages(*contents: Any) -> list[UserMessage]:
        return [UserMessage(content=content) for content in contents]

    @server.prompt()
    def test_simple_prompt() -> list[UserMessage]:
        """One message."""
        return messages(_text("This is a simple prompt for testing."))

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        """One message, made of two arguments."""
        return messages(_text(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
        """A resource within a message."""
        return messages(_embedded(resourceUri, "text/plain", "embedded"), _text("Read this."))

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        """An image in a message."""
        image = ImageContent(type="image", data=PNG, mime_type="image/png")
        return messages(image, _text("Look at this."))

    @server.prompt()
    async def test_input_required_result_prompt(
        ctx: Context,
    ) -> list[UserMessage] | InputRequiredResult:
        """Asks what the message is to be about."""
        if "user_context" in (answers := ctx.input_responses or {}):
            return messages(_text(f"Think of {_filled_in(answers['user_context'], 'context')}"))
        question = _form("What is it about?", "context")
        return InputRequiredResult(input_requests={"user_context": question})


def _below(server: MCPServer) -> None:
    """Requests that the SDK answers only on its lower floor, and completion."""

    async def nothing(_ctx: object, _params: object) -> EmptyResult:
        return EmptyResult()

    for method, params in (
        ("logging/setLevel", SetLevelRequestParams),
        ("resources/subscribe", SubscribeRequestParams),
        ("resources/unsubscribe", UnsubscribeRequestParams),
    ):
        server._lowlevel_server.add_request_handler(method, params, nothing)

    @server.completion()
    async def complete(_ref: object, _argument: object, _context: object) -> Completion:
        return Completion(values=[], total=0, has_more=False)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return EmbeddedResource(type="resource", resource=contents)


def _from_user(text: str) -> SamplingMessage:
    return SamplingMessage(role="user", content=_text(text))


def _sample(text: str) -> CreateMessageRequest:
    params = CreateMessageRequestParams(messages=[_from_user(text)], max_tokens=100)
    return CreateMessageRequest(params=params)


def _form(
    message: str, field: str, *, kind: Literal["string", "boolean"] = "string"
) -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _filled_in(answer: object, field: str) -> str:
    given = answer.content if isinstance(answer, ElicitResult) else None
    return str((given or {}).get(field, "?"))


_SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    port = parser.parse_args(arguments).port
    if port is None:
        build().run("stdio")
    else:
        build().run("streamable-http", port=port)


if __name__ == "__main__":
    main()
