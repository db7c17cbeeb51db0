"""`remit bundles`: built, signed, looked at, carried elsewhere, forgotten."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["bundles"]

bundles = typer.Typer(help="Bundles: every file that counts, by its digest.", no_args_is_help=True)

Named = Annotated[
    str, typer.Argument(metavar="BUNDLE", help="Digest, or enough of it.", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="File to write; `-` for standard output.  [default: standard output, if that is no terminal]",
        show_default=False,
    ),
]


@bundles.command("list")
def list_bundles(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what was in force when, and what is on trial."""
    from remit.cli.proposal_view import short
    from remit.cli.terminal import Column, instant, print_json, print_table, say

    found = call(Where(data, repo, config, database_url), "bundles.list")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("NUMBER", "bold"), Column("BUNDLE"), Column("HOW"), Column("STAGE"), Column("WHEN"),
         Column("BY"), Column("REASON", widest=40)],
        [
            (str(one["sequence"]), short(one["bundle"]), one["how"], one["stage"],
             instant(one["activated_at"]), one["activated_by"], one["reason"])
            for one in found["activations"]
        ],
        empty=f"no bundle was put in force yet; the folder decides ({short(found['in_force'])})",
    )  # fmt: skip
    trial = found["trial"]
    if trial is not None:
        tried = trial["counts"].get("trial", {"calls": 0, "refused": 0, "agents": 0})
        say(
            f"{short(trial['bundle'])} is on trial for {trial['share']} % of the agents until "
            f"{instant(trial['until'])}: {tried['refused']} of {tried['calls']} calls "
            f"refused to {tried['agents']} agents"
        )


@bundles.command("show")
def show_bundle(
    bundle: Named,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show one bundle: its files and their digests, and when it was in force."""
    from remit.cli.proposal_view import short
    from remit.cli.terminal import Column, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "bundles.show", path={"bundle": bundle})
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("FILE", "bold"), Column("SHA-256")],
        [(path, short(digest)) for path, digest in found["files"].items()],
        empty="no files",
    )


@bundles.command("build")
def build_bundle(
    repo: Annotated[
        Path | None,
        typer.Option(
            "--repo",
            metavar="DIR",
            help="Policy repository.  [default: REMIT_REPO, or ./policy]",
            show_default=False,
        ),
    ] = None,
    out: Out = None,
) -> None:
    """Make a bundle of a policy repository. The same files make the same bytes, wherever they stand."""
    from remit.cli.bundle_source import folder_bundle
    from remit.deployment.bundle import bundle_bytes

    bundle = folder_bundle(repo)
    _write(out, bundle_bytes(bundle), bundle.digest)


@bundles.command("sign")
def sign_one(
    bundle: Annotated[
        Path, typer.Argument(metavar="FILE", help="Of `remit bundles build`.", show_default=False)
    ],
    key: Annotated[
        Path,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Ed25519 private key, PEM (PKCS #8), not encrypted.",
            show_default=False,
        ),
    ],
    out: Out = None,
) -> None:
    """Sign a bundle as its publisher: for Remits whose setting `bundle_keys` names the key."""
    from remit.cli.bundle_source import read_bundle_file
    from remit.cli.signing import private_key
    from remit.deployment.bundle import bundle_bytes
    from remit.deployment.sealing import sign_bundle

    signed = sign_bundle(read_bundle_file(bundle), private_key(key))
    _write(out or bundle, bundle_bytes(signed), signed.digest)


@bundles.command("key")
def show_key(
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="The public part of this private key, instead of the installation's.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the JWK set of the key that bundles are signed with here: for `bundle_keys` of another Remit."""
    from remit.cli.terminal import print_json

    if key is not None:
        from remit.cli.signing import private_key
        from remit.deployment.sealing import InstallationKey

        own = InstallationKey(private_key(key))
        print_json({"keys": [{**own.jwk, "kid": own.thumbprint}]})
        return
    print_json(call(Where(data, repo, config, database_url), "bundles.key"))


@bundles.command("export")
def export_bundle(
    bundle: Named,
    out: Out = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Fetch a bundle, signed, with what this Remit says of where and how long it was in force."""
    import json

    from remit.deployment.bundle import bundle_bytes, read_bundle

    where = Where(data, repo, config, database_url)
    found = read_bundle(json.dumps(call(where, "bundles.export", path={"bundle": bundle})).encode())
    _write(out, bundle_bytes(found), found.digest)


@bundles.command("prune")
def prune(
    keep: Annotated[
        int,
        typer.Option(
            "--keep", metavar="N", min=5, help="How many of those that were in force last stay."
        ),
    ] = 20,
    yes: Yes = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Forget bundles that nobody needs. Decisions that they took can then be explained no more, and not gone back to."""
    from remit.cli.terminal import counted, print_json, say

    confirm("Forget old bundles for good?", yes=yes)
    found = call(Where(data, repo, config, database_url), "bundles.prune", body={"keep": keep})
    if as_json:
        print_json(found)
    else:
        say(f"{counted(len(found['removed']), 'bundle')} forgotten")


def _write(out: Path | None, content: bytes, digest: str) -> None:
    from remit.cli.terminal import say_hint

    if out is None and sys.stdout.isatty():
        raise typer.BadParameter(
            f"a bundle is {len(content):,} bytes that nobody reads: name a file, or `-` for the terminal",
            param_hint="'--out'",
        )
    if out is None or str(out) == "-":
        sys.stdout.buffer.write(content + b"\n")
    else:
        beside = out.with_name(f".{out.name}.part")
        # Whole or not at all: half a bundle would be refused, but only where it is carried to.
        beside.write_bytes(content)
        beside.replace(out)
    say_hint(digest)
