"""`remit demo`: set the stage, tell the story, let the log prove itself.

The exit code is 0 only if every step went as told and the log verified. Whoever
stops the story before its end has not seen that: 130, as shells have it.
"""

import asyncio
import contextlib
import logging
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from remit.demo.evidence import check_elsewhere, show_timeline
from remit.demo.listener import browse_yourself
from remit.demo.narrator import Narrator
from remit.demo.stage import Stage, StageError, set_up
from remit.demo.story import Storyteller, UnexpectedAnswerError, leaves, redirect_uri
from remit.demo.trail import show_trail, tamper, verified

__all__ = ["run_demo"]

_INTERRUPTED = 130
_UNWATCHED_WIDTH = 110


def run_demo(*, interactive: bool = False, stay: bool = False) -> int:
    """Tell the story in this terminal, and return the exit code.

    `interactive`: your own browser opens, and you are the person. `stay`: leave
    everything running at the end, and say how to connect a real client.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNWATCHED_WIDTH
    # The SDK logs a refused authorization with a traceback; the story tells it in words.
    logging.getLogger("mcp").addHandler(logging.NullHandler())
    folder = Path(tempfile.mkdtemp(prefix="remit-demo-"))
    try:
        asyncio.run(_perform(Narrator(console), folder, interactive=interactive, stay=stay))
    except (StageError, UnexpectedAnswerError, ExceptionGroup) as error:
        # The SDK wraps whatever ends a connection in groups; what matters is inside.
        why = "; ".join(str(one) or type(one).__name__ for one in leaves(error))
        console.print(Text.assemble(("the demonstration failed: ", "red"), why), soft_wrap=True)
        console.print(f"everything it wrote is in {folder}", soft_wrap=True)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped before the end")
        shutil.rmtree(folder, ignore_errors=True)
        return _INTERRUPTED
    shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _perform(say: Narrator, folder: Path, *, interactive: bool, stay: bool) -> None:
    _end_like_an_interrupt()
    say.title("Remit", "an agent's tool call, authorized end to end")
    async with AsyncExitStack() as running:
        with say.waiting("starting Remit, a CRM by HTTP, and payments by stdio …"):
            stage = await running.enter_async_context(set_up(folder))
        say.why(f"Remit was ready {stage.ready_seconds:.1f} s after its command was typed")
        callback = redirect_uri()
        browse = _your_browser(stage, say, callback) if interactive else None
        story = Storyteller(stage, say, callback=callback, browse=browse)
        await story.tell()
        show_trail(stage, say)
        await show_timeline(stage, say)
        tamper(stage, say)
        await check_elsewhere(stage, say, story.receipts)
        if stay:
            say.last_line(f"audit log verified: {verified(stage)} records")
            await _stay(stage, say)
    say.last_line(f"audit log verified: {verified(stage)} records")


def _end_like_an_interrupt() -> None:
    """Take SIGTERM and a closed terminal as Ctrl-C: nothing that was started is left behind."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is not None:
        for signal_number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signal_number, task.cancel)


def _your_browser(stage: Stage, say: Narrator, callback: str) -> Callable[[str], Awaitable[str]]:
    say.asked(f"you are {stage.username}; your password is {stage.password}")
    say.why("withhold `crm:accounts.write` when the CRM's consent page asks, to see it missing")
    return partial(browse_yourself, redirect_uri=callback, tell=say.why)


async def _stay(stage: Stage, say: Narrator) -> None:
    crm = stage.server("crm")
    say.step("Connect a client of your own")
    say.why(f"log in as {stage.username} with the password {stage.password}")
    say.asked(f"Claude Code:   claude mcp add --transport http crm {crm}")
    say.asked(f'VS Code:       {{"servers": {{"crm": {{"type": "http", "url": "{crm}"}}}}}}')
    say.asked("MCP Inspector: npx @modelcontextprotocol/inspector, Streamable HTTP, the same URL")
    say.asked(f"watch it:      remit audit tail -f --data {stage.data}")
    say.why("Ctrl-C ends it all")
    await _until_interrupted()


async def _until_interrupted() -> None:
    """Return at Ctrl-C, which `asyncio.run` delivers as a cancellation: here it is the way on."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
