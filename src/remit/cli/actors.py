"""`remit agents` and `remit clients`: what acts, and through what."""

from typing import Annotated, Any

import typer

from remit.cli.asking import call, every
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["STATES", "agents", "clients", "words"]

agents = typer.Typer(help="Agents, as the policy repository declares them.", no_args_is_help=True)
clients = typer.Typer(help="OAuth clients that agents use.", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(metavar="AGENT", help="Agent id.", show_default=False)]

STATES = {
    "active": "green",
    "signs": "green",
    "verifies": "green",
    "waits": "yellow",
    "pending": "yellow",
    "suspended": "red",
    "disabled": "red",
    "rejected": "red",
    "revoked": "red",
    "expired": "dim",
    "retired": "dim",
}
"""How the states of everything are coloured."""


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

    found = every(Where(data, repo, config, database_url), "agents.list", "agents")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("AGENT", "bold"), Column("NAME", widest=NAME_WIDTH), Column("CLASS"), Column("OWNER"),
         Column("CLEARANCE"), Column("STATE")],
        [
            (agent["id"], agent["name"], agent["class"], agent["owner"] or "-",
             agent["max_sensitivity"], styled(agent["state"], STATES[agent["state"]]))
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

    where = Where(data, repo, config, database_url)
    found = call(where, "agents.show", path={"agent": agent})
    if as_json:
        print_json(found)
        return
    print_fields((name.replace("_", " "), words(name, value)) for name, value in found.items())


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
    from remit.cli.terminal import NAME_WIDTH, Column, ago, instant, print_json, print_table, styled

    found = every(Where(data, repo, config, database_url), "clients.list", "clients")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("CLIENT", "bold", folds=True), Column("NAME", widest=NAME_WIDTH), Column("KIND"),
         Column("AGENT"), Column("OWNER"), Column("ENVIRONMENT"), Column("LAST USED"), Column("GOES"),
         Column("STATE")],
        [
            (client["client_id"], client["name"] or "-", client["kind"], client["agent_id"] or "-",
             client["owner"] or "-", client["environment"] or "-", ago(client["last_used_at"]),
             instant(client["removal_at"]), styled(client["state"], STATES[client["state"]]))
            for client in found
        ],
        empty="no clients yet: they register themselves, or stand in agents/ of the policy repository",
    )  # fmt: skip


@clients.command("show")
def show_client(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Client id.", show_default=False)],
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show everything about one client."""
    from remit.cli.terminal import print_fields, print_json

    found = call(
        Where(data, repo, config, database_url), "clients.show", query={"client_id": client}
    )
    if as_json:
        print_json(found)
        return
    print_fields((name.replace("_", " "), words(name, value)) for name, value in found.items())


@clients.command("remove")
def remove_client(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Client id.", show_default=False)],
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a client that introduced itself. What it was granted ends; it may register again."""
    from remit.cli.terminal import say

    confirm(f"Remove {client}, and all that it was granted?", yes=yes)
    body = {"client_id": client, "reason": reason}
    call(Where(data, repo, config, database_url), "clients.remove", body=body)
    say(f"{client} is removed")


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
    call(Where(data, repo, config, database_url), "clients.disable", body=body)
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
    call(Where(data, repo, config, database_url), "clients.enable", body=body)
    say(f"{client} is active")


def _set_standing(agent: str, verb: str, reason: str, where: Where) -> None:
    from remit.cli.terminal import say

    found = call(where, f"agents.{verb}", path={"agent": agent}, body={"reason": reason})
    say(f"{agent} is {found['state']}")


def words(name: str, value: object) -> str:
    """A member of an answer as people read it: instants as instants, lists as lists."""
    from remit.cli.terminal import instant

    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith(("_at", "_from")):
        return instant(value)
    return "-" if value is None or value == "" else str(value)
