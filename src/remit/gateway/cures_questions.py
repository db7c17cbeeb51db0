"""What a client is asked to put before its person when a call was refused that something would cure; and what it says.

A page of ours, by its address: nothing secret is in it, and whoever opens it logs in there first. What the client answers
to that says whether the page was opened, and never that anything is allowed. Or a form for why the call is made: what
comes back is the caller's own word, as it is in `_meta`. What is asked and answered here never reaches a server.

Source: MCP 2026-07-28 elicitation (URL mode, form mode), multi round-trip requests; MCP 2025-11-25 elicitation
(URLElicitationRequiredError); MISSION B7.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import Request, Response, error_response
from remit.gateway.rejection import printable
from remit.guard.elevations import Asked
from remit.guard.justification import LONGEST
from remit.guard.outcome import Deny
from remit.model import Server
from remit.model.approvals import JustificationField
from remit.policy.obligation import ObligationKind

__all__ = [
    "ASKABLE",
    "FORM_KEY",
    "PAGE_KEY",
    "URL_ELICITATION_REQUIRED",
    "declined",
    "form_of",
    "from_form",
    "justifications_wanted",
    "page_first",
    "page_of",
    "without_mode",
    "without_ours",
]

ASKABLE: Final = frozenset({"tools/call", "resources/read", "prompts/get"})
"""The methods in answer to which a client may be asked something."""
PAGE_KEY: Final = "remit/approval"
FORM_KEY: Final = "remit/justification"
"""Under which names a client is asked; the answers are for us alone."""
URL_ELICITATION_REQUIRED: Final = -32042
_RESPONSES: Final = "inputResponses"
_ACCEPTED: Final = "accept"


def page_of(asked: Asked, request: Request, server: Server) -> JsonObject:
    """The question that has the person open the page of `asked`."""
    params = request.params or {}
    name = params.get("uri") if request.method == "resources/read" else params.get("name")
    what = f"`{printable(str(name))}` of {server.title}"
    message = (
        f"Your agent wants to use {what}. Look at it, and decide."
        if asked.alone
        else f"Your agent wants to use {what}, which somebody else has to approve. See how far it is."
    )
    params = {"mode": "url", "message": message, "url": asked.url}
    return {"method": "elicitation/create", "params": params}


def page_first(
    request: Request, question: JsonObject, asked: Asked, *, detail: str, data: JsonObject
) -> Response:
    """The error of 2025-11-25 that says so; the request's id is what the end of it will be told by."""
    params = question["params"]
    page = dict(params) if isinstance(params, dict) else {}
    pages: list[Json] = [{**page, "elicitationId": asked.id}]
    return error_response(
        request.id, URL_ELICITATION_REQUIRED, detail, {**data, "elicitations": pages}
    )


def justifications_wanted(deny: Deny) -> tuple[str, ...]:
    """What has to be told about why the call is made, by its names."""
    wanted = (one for one in deny.needs if one.kind is ObligationKind.REQUIRE_JUSTIFICATION)
    return tuple(dict.fromkeys(one.value for one in wanted))


def form_of(names: Sequence[str], fields: Mapping[str, JustificationField]) -> JsonObject:
    """The question that has the person say why, in the fields that are `names`."""
    properties: JsonObject = {}
    for name in names:
        field = fields.get(name)
        longest = LONGEST if field is None else min(LONGEST, field.longest)
        title = name if field is None or not field.title else field.title
        described: JsonObject = {
            "type": "string", "title": title, "minLength": 1, "maxLength": longest,
        }  # fmt: skip
        if field is not None and field.pattern is not None:
            described["description"] = f"of the form {field.pattern}"
        properties[name] = described
    schema: JsonObject = {"type": "object", "properties": properties, "required": [*names]}
    message = "This is done for a reason only. Why does your agent do it?"
    params: JsonObject = {"mode": "form", "message": message, "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


def without_mode(question: JsonObject) -> JsonObject:
    """The parameters of `question` as they were before there were modes, which every revision since understands."""
    params = question["params"]
    return {
        name: value
        for name, value in (params.items() if isinstance(params, dict) else ())
        if name != "mode"
    }


def from_form(answer: Json) -> JsonObject | None:
    """What the person filled in; `None` where they filled in nothing."""
    if not isinstance(answer, dict) or answer.get("action") != _ACCEPTED:
        return None
    content = answer.get("content")
    return content if isinstance(content, dict) and content else None


def declined(answer: Json) -> bool:
    """Whether the person did not open the page that they were to open."""
    return not isinstance(answer, dict) or answer.get("action") != _ACCEPTED


def without_ours(request: Request) -> tuple[Request, JsonObject]:
    """`request` without the answers to what was asked here; and these."""
    params = request.params or {}
    responses = params.get(_RESPONSES)
    if not isinstance(responses, dict):
        return request, {}
    ours = {key: value for key, value in responses.items() if key in {PAGE_KEY, FORM_KEY}}
    if not ours:
        return request, {}
    rest: JsonObject = {key: value for key, value in responses.items() if key not in ours}
    kept: JsonObject = {key: value for key, value in params.items() if key != _RESPONSES}
    if rest:
        kept[_RESPONSES] = rest
    return Request(request.id, request.method, kept), ours
