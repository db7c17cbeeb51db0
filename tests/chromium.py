"""Where the browser is that the tests drive."""

import os
import shutil
from pathlib import Path

__all__ = ["CHROMIUM_ARGUMENTS", "find_chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# --no-sandbox: CI runs as root, where Chromium's sandbox cannot start. It visits our own pages only.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The path of a Chromium: the one told by `REMIT_CHROMIUM`, the machine's, or Playwright's."""
    told = os.environ.get("REMIT_CHROMIUM")
    if told:
        return told if Path(told).is_file() else None
    for name in _NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    candidates = sorted(cache.glob("chromium*/chrome-*/chrome*"))
    return next((str(path) for path in reversed(candidates) if os.access(path, os.X_OK)), None)
