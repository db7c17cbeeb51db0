"""`remit grants`: what people and workloads have granted, and ending it."""

from typing import Annotated

import typer

from remit.cli.actors import STATES, words
from remit.cli.asking import call, every
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["grants"]

grants = typer.Typer(help="What people and workloads have granted.", no_args_is_help=True)

User = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="Only this person's.", show_default=False),
]
Agent = Annotated[
    str | None,
    typer.Option("--agent", metavar="AGENT", help="Only this agent's.", show_default=False),
]
Client = Annotated[
    str | None,
    typer.Option("--client", metavar="CLIENT", help="Only this client's.", show_default=False),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant", metavar="TENANT", help="Only this organisation's.", show_default=False
    ),
]


@grants.command("list")
def list_grants(
    user: User = None,
    agent: Agent = None,
    client: Client = None,
    tenant: Tenant = None,
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what has been granted."""
    from remit.cli.terminal import Column, ago, print_json, print_table, styled

    found = every(
        Where(data, repo, config, database_url),
        "grants.list",
        "grants",
        {
            "user": user,
            "agent": agent,
            "client": client,
            "tenant": tenant,
            "all": "true" if ended else None,
        },
    )
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("GRANT", "bold"), Column("FOR"), Column("AGENT"), Column("RESOURCE", folds=True),
         Column("SCOPES", folds=True), Column("GIVEN"), Column("LAST USED"), Column("STATE")],
        [
            (grant["id"], grant["username"] or grant["user_id"] or "itself", grant["agent_id"],
             grant["resource"], " ".join(grant["scopes"]), ago(grant["created_at"]),
             ago(grant["last_used_at"]), styled(grant["state"], STATES[grant["state"]]))
            for grant in found
        ],
        empty="no grants: an agent holds one after a person has consented to it",
    )  # fmt: skip


@grants.command("show")
def show_grant(
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="Grant id.", show_default=False)],
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show one grant, and what its tokens were exchanged for."""
    from remit.cli.terminal import print_fields, print_json, say

    found = call(Where(data, repo, config, database_url), "grants.show", path={"grant": grant})
    if as_json:
        print_json(found)
        return
    print_fields(
        (name.replace("_", " "), words(name, value)) for name, value in found["grant"].items()
    )
    for one in found["descendants"]:
        say(f"descends  {one['id']} ({one['agent_id']}, {one['resource']}, {one['state']})")


@grants.command("revoke")
def revoke_grant(
    grant: Annotated[
        str | None, typer.Argument(metavar="[GRANT]", help="Grant id.", show_default=False)
    ] = None,
    user: User = None,
    agent: Agent = None,
    client: Client = None,
    tenant: Tenant = None,
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End a grant, or all of somebody's. Codes, refresh tokens and access tokens are worthless when this returns.

    Without GRANT, every grant that matches all of --user, --agent, --client and --tenant.
    """
    from remit.cli.terminal import counted, say

    where = Where(data, repo, config, database_url)
    whose = {
        name: value
        for name, value in (
            ("user", user), ("agent", agent), ("client", client), ("tenant", tenant),
        )
        if value is not None
    }  # fmt: skip
    if (grant is None) == (not whose):
        raise typer.BadParameter(
            "name one grant, or say whose: --user, --agent, --client, --tenant"
        )
    if grant is not None:
        call(where, "grants.revoke", path={"grant": grant}, body={"reason": reason})
        say(f"{grant} is revoked")
        return
    live = len(every(where, "grants.list", "grants", whose))
    if live:
        of = ", ".join(f"{name} {value}" for name, value in whose.items())
        confirm(f"Revoke {counted(live, 'grant')} of {of}?", yes=yes)
    found = call(where, "grants.revoke-all", body={**whose, "reason": reason})
    say(f"{counted(found['revoked'], 'grant')} revoked")
