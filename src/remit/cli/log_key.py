"""`remit audit rotate-key`: have the log signed by another key."""

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["rotate_key"]


def rotate_key(
    yes: Yes = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Have the log signed by a new key. The log says so, and the first checkpoint after that is signed by both.

    Pin the new key from now on: the log says whose it follows, so that what was signed before still is.
    """
    from remit.cli.terminal import print_json, say

    confirm("Sign the audit log with a new key? Whoever checks it pins that from now on.", yes=yes)
    told = call(Where(data, repo, config, database_url), "audit.rotate-key", body={})
    if as_json:
        print_json(told)
        return
    say(f"until now  {told['former']}")
    say(f"from now   {told['verifier']}")
