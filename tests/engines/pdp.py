"""A small decision point that speaks AuthZEN 1.0, as a process of its own: `python tests/engines/pdp.py PORT`.

It knows nothing of Remit but what stands in the questions.
"""

import sys

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
    return JSONResponse(decide(await request.json()))


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
        {"evaluations": [decide({**defaults, **one}) for one in document["evaluations"]]}
    )


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


def application(secret=None):
    app = Starlette(
        routes=[
            Route("/access/v1/evaluation", evaluation, methods=["POST"]),
            Route("/access/v1/evaluations", evaluations, methods=["POST"]),
            Route("/.well-known/authzen-configuration", metadata),
        ]
    )
    app.state.secret = secret
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2] if len(sys.argv) > 2 else None),
        port=int(sys.argv[1]),
        log_level="warning",
    )
