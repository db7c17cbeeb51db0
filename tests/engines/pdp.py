"""A small decision point that speaks AuthZEN 1.0, as a process of its own: `python tests/engines/pdp.py PORT`.

It knows nothing of Remit but what stands in the questions. `python tests/engines/pdp.py PORT '' complete` has the rules
of the complete example instead, and below `/without/RULE` all of them but one.
"""

import sys

import complete_rules
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def decide(question):
    """The rules of the contract. What is not as they expect it raises, and is no decision."""
    subject, resource = question["subject"], question["resource"]
    context = question["context"]
    properties = subject["properties"]
    arguments = question["action"].get("properties", {}).get("arguments")
    server, name = resource["properties"]["server"], resource["id"]
    listing = context["phase"] == "list"
    if server == "crm":
        if name == "list_accounts" and "support" in properties["roles"]:
            return answer(False, "no-lists-for-support")
        own = (
            listing
            or arguments.get("organization_id", properties["tenant"]) == properties["tenant"]
        )
        return answer(own, "own-organisation", "You may only work with your own organisation.")
    if server == "payments" and name == "refund":
        amount = {} if listing else arguments.get("amount", {})
        small = listing or (amount.get("currency") == "USD" and amount["value"] <= 500)
        return answer(small, "refund-limit", "An agent may refund at most 500.00 USD.")
    if server == "payments" and name == "get_invoice":
        return answer(True, "invoices")
    return {"decision": False}


def answer(allowed, policy, words=None):
    context = {"policies": [policy]}
    if words is not None and not allowed:
        context["reason_user"] = {"en": words}
    return {"decision": allowed, "context": context}


async def evaluation(request: Request):
    if not is_admitted(request):
        return JSONResponse({"error": "unauthorized"}, status_code=401)
    return JSONResponse(decided(request, await request.json()))


async def evaluations(request: Request):
    if not is_admitted(request):
        return JSONResponse({"error": "unauthorized"}, status_code=401)
    document = await request.json()
    defaults = {
        name: document[name]
        for name in ("subject", "action", "resource", "context")
        if name in document
    }
    return JSONResponse(
        {"evaluations": [decided(request, {**defaults, **one}) for one in document["evaluations"]]}
    )


def decided(request, question):
    if not request.app.state.complete:
        return decide(question)
    return complete_rules.decide(question, request.path_params.get("rule"))


def is_admitted(request):
    wanted = request.app.state.secret
    return wanted is None or request.headers.get("authorization") == f"Bearer {wanted}"


async def metadata(request: Request):
    url = str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "policy_decision_point": url,
            "access_evaluation_endpoint": f"{url}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{url}/access/v1/evaluations",
        }
    )


def application(secret=None, *, complete=False):
    app = Starlette(
        routes=[
            Route("/without/{rule:path}/access/v1/evaluation", evaluation, methods=["POST"]),
            Route("/without/{rule:path}/access/v1/evaluations", evaluations, methods=["POST"]),
            Route("/access/v1/evaluation", evaluation, methods=["POST"]),
            Route("/access/v1/evaluations", evaluations, methods=["POST"]),
            Route("/.well-known/authzen-configuration", metadata),
        ]
    )
    app.state.secret = secret
    app.state.complete = complete
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2] or None if len(sys.argv) > 2 else None, complete=len(sys.argv) > 3),
        port=int(sys.argv[1]),
        log_level="warning",
    )
