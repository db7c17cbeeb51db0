"""Whether the engines in other processes are there, and whether anybody named them."""

import asyncio

from remit.cli.checkup.finding import Finding, down, fine, note
from remit.engines.probe import probe
from remit.errors import Error
from remit.model import Catalog, ExternalEngine

__all__ = ["examine_engines"]


async def examine_engines(catalog: Catalog) -> list[Finding]:
    """Every engine that the catalog declares, all at once."""
    named = {one.engine for one in catalog.servers.values()}
    named |= {one.engine for one in catalog.tenants.values()}
    engines = [*catalog.engines.values()]
    found = await asyncio.gather(*(_reach(one) for one in engines))
    idle = [
        note(
            f"engine {one.name}",
            "no server and no tenant names it, so it decides nothing",
            mend="write `engine:` into the file of a server, or take it out of remit.yaml",
        )
        for one in engines
        if one.name not in named
    ]
    return [*found, *idle]


async def _reach(engine: ExternalEngine) -> Finding:
    about = f"engine {engine.name}"
    try:
        took = await probe(engine)
    except Error as error:
        return down(
            about,
            f"{error.detail}: whatever it would permit is refused",
            mend="start it, or correct `engines` in remit.yaml",
        )
    if took > engine.timeout_ms:
        return note(
            about,
            f"it answered after {took} ms, and its time-out is {engine.timeout_ms} ms",
            mend="bring it nearer, or give it more time",
        )
    return fine(about, f"it answers ({engine.kind.value})")
