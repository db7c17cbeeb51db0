"""The operations about people who are asked, over the office of tests/approvals: who asks is a token, or the socket."""

from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

from pydantic import TypeAdapter

from remit.api.administrator import Administrator
from remit.api.operation import Asked, Nothing
from remit.api.table import OPERATIONS
from remit.audit.context import Actor, ActorType, Context
from remit.model import ACR_PHISHING_RESISTANT, AgentClass
from tests.approvals.conftest import URL, Office, office

__all__ = ["Bureau", "office"]

BY_NAME = {one.name: one for one in OPERATIONS}


class Bureau:
    """`call` runs one operation, as whoever `by` is."""

    def __init__(self, office: Office):
        self.office = office
        agents = dict(office.directory.catalog.agents)
        own = replace(agents["assistant"], id="desk-tool", agent_class=AgentClass.IDE)
        agents["desk-tool"] = own
        agents["robot"] = replace(own, id="robot", agent_class=AgentClass.AUTONOMOUS)
        office.directory.catalog = replace(
            office.directory.catalog, agents=MappingProxyType(agents)
        )
        self.deps = SimpleNamespace(
            database=office.database,
            directory=office.directory,
            clock=office.clock,
            site=SimpleNamespace(public_url=URL),
            approvals=office.desk,
        )
        self.socket = Administrator(context=Context(actor=Actor(ActorType.ADMIN, "uid:0")))

    def token(self, who, **changes):
        own = {"sub": f"usr_{who}", "agent_id": "desk-tool", "client_id": "cli_desk",
               "grant_id": "gnt_desk", "acr": ACR_PHISHING_RESISTANT,
               "auth_time": self.office.clock.now()}  # fmt: skip
        return self.office.token(**own | changes)

    def by(self, who, *, tenant="acme", **changes):
        return Administrator(
            context=Context(actor=Actor(ActorType.USER, f"usr_{who}")),
            tenant=tenant,
            token=self.token(who, **changes),
        )

    async def call(self, name, by, *, path=(), query=(), body=()):
        operation = BY_NAME[name]
        asked = Asked(
            by=by,
            at=self.office.clock.now(),
            path=dict(path),
            query=TypeAdapter(operation.query or Nothing).validate_python(dict(query)),
            body=TypeAdapter(operation.body or Nothing).validate_python(dict(body)),
        )
        found = await operation.run(self.deps, asked)
        return found.model_dump(mode="json")

    async def asked(self):
        """A call that takes a manager, of ada's assistant; the log-ins of now are later than it."""
        return await self.office.asked(self.office.update())

    async def answers(self, verb, by, approval, **body):
        """Look, and answer to what was shown."""
        seen = await self.call("approvals.look", by, path={"approval": approval})
        said = {"shown": seen["shown"]} | body
        return await self.call(f"approvals.{verb}", by, path={"approval": approval}, body=said)
