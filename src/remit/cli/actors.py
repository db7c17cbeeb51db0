"""`remit agents`, `remit clients`, `remit grants`: what acts, through what, with which permission."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["agents", "clients", "grants"]

agents = typer.Typer(help="Agents, as the policy repository declares them.", no_args_is_help=True)
clients = typer.Typer(help="OAuth clients that agents use.", no_args_is_help=True)
grants = typer.Typer(help="What people and workloads have granted.", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(metavar="AGENT", help="Agent id.", show_default=False)]

_STATES = {
    "active": "green",
    "suspended": "red",
    "disabled": "red",
    "revoked": "red",
    "expired": "dim",
}


@agents.command("list")
def list_agents(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List all agents."""
    from remit.cli.terminal import NAME_WIDTH, Column, print_json, print_table, styled

    found = _get("/v1/agents", Where(data, repo, config, database_url))["agents"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("AGENT", "bold"), Column("NAME", widest=NAME_WIDTH), Column("CLASS"), Column("OWNER"),
         Column("CLEARANCE"), Column("STATE")],
        [
            (agent["id"], agent["name"], agent["class"], agent["owner"] or "-",
             agent["max_sensitivity"], styled(agent["state"], _STATES[agent["state"]]))
            for agent in found
        ],
        empty="no agents: declare one in agents/ of the policy repository, then remit reload",
    )  # fmt: skip


@agents.command("show")
def show_agent(
    agent: Agent,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show everything about one agent."""
    from remit.cli.terminal import print_fields, print_json

    found = _get(f"/v1/agents/{quote(agent, safe='')}", Where(data, repo, config, database_url))
    if as_json:
        print_json(found)
        return
    print_fields((name.replace("_", " "), _words(value)) for name, value in found.items())


@agents.command("suspend")
def suspend_agent(
    agent: Agent,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Stop an agent. Every call of it is refused when this returns, whatever token it holds."""
    _set_standing(agent, "suspend", reason, Where(data, repo, config, database_url))


@agents.command("resume")
def resume_agent(
    agent: Agent,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a suspended agent act again."""
    _set_standing(agent, "resume", reason, Where(data, repo, config, database_url))


@clients.command("list")
def list_clients(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the clients that are known."""
    from remit.cli.terminal import NAME_WIDTH, Column, ago, print_json, print_table, styled

    found = _get("/v1/clients", Where(data, repo, config, database_url))["clients"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("CLIENT", "bold", folds=True), Column("NAME", widest=NAME_WIDTH), Column("KIND"),
         Column("AGENT"), Column("LAST USED"), Column("STATE")],
        [
            (client["client_id"], client["name"] or "-", client["kind"], client["agent_id"] or "-",
             ago(client["last_used_at"]), styled(client["state"], _STATES[client["state"]]))
            for client in found
        ],
        empty="no clients yet: they register themselves, or stand in agents/ of the policy repository",
    )  # fmt: skip


@clients.command("disable")
def disable_client(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Client id.", show_default=False)],
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Turn a client away. Nothing is issued to it, and calls with its tokens are refused at once."""
    from remit.cli.terminal import say

    body = {"client_id": client, "reason": reason}
    _post("/v1/clients/disable", body, Where(data, repo, config, database_url))
    say(f"{client} is disabled")


@clients.command("enable")
def enable_client(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Client id.", show_default=False)],
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Admit a disabled client again."""
    from remit.cli.terminal import say

    body: dict[str, Any] = {"client_id": client, "reason": reason}
    _post("/v1/clients/enable", body, Where(data, repo, config, database_url))
    say(f"{client} is active")


@grants.command("list")
def list_grants(
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="Only this person's.", show_default=False),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", metavar="AGENT", help="Only this agent's.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what has been granted."""
    from remit.cli.terminal import Column, ago, print_json, print_table, styled

    query = {"user": user, "agent": agent, "all": "true" if every else None}
    found = _get("/v1/grants", Where(data, repo, config, database_url), **query)["grants"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("GRANT", "bold"), Column("FOR"), Column("AGENT"), Column("RESOURCE", folds=True),
         Column("SCOPES", folds=True), Column("GIVEN"), Column("LAST USED"), Column("STATE")],
        [
            (grant["id"], grant["username"] or grant["user_id"] or "itself", grant["agent_id"],
             grant["resource"], " ".join(grant["scopes"]), ago(grant["created_at"]),
             ago(grant["last_used_at"]), styled(grant["state"], _STATES[grant["state"]]))
            for grant in found
        ],
        empty="no grants: an agent holds one after a person has consented to it",
    )  # fmt: skip


@grants.command("revoke")
def revoke_grant(
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="Grant id.", show_default=False)],
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End a grant. Its codes, refresh tokens and access tokens are worthless when this returns."""
    from remit.cli.terminal import say

    where = Where(data, repo, config, database_url)
    _post(f"/v1/grants/{quote(grant, safe='')}/revoke", {"reason": reason}, where)
    say(f"{grant} is revoked")


def _set_standing(agent: str, verb: str, reason: str, where: Where) -> None:
    from remit.cli.terminal import say

    found = _post(f"/v1/agents/{quote(agent, safe='')}/{verb}", {"reason": reason}, where)
    say(f"{agent} is {found['state']}")


def _get(path: str, where: Where, **query: str | None) -> dict[str, Any]:
    from remit.cli.connection import Management, ask  # imports an HTTP client

    async def question(management: Management) -> dict[str, Any]:
        return await management.get(path, **query)

    return ask(where, question)


def _post(path: str, body: dict[str, Any], where: Where) -> dict[str, Any]:
    from remit.cli.connection import Management, ask  # imports an HTTP client

    async def question(management: Management) -> dict[str, Any]:
        return await management.post(path, body)

    return ask(where, question)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "-"
    return "-" if value is None or value == "" else str(value)
