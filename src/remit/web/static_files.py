"""The style sheet, the mark and the one script, under names that hold their own digest.

The name changes with the content, so a browser may keep a file for ever and never
shows a page with an old style. Anything else below `/static/` does not exist.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

__all__ = ["static_routes", "static_url"]

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _StaticFile:
    path: str
    media_type: str
    content: bytes


def static_url(name: str) -> str:
    """The path of the file `name`, such as `/static/remit.3f2a….css` for `remit.css`.

    Raises:
        KeyError: there is no such file.
    """
    return _static_files()[name].path


def static_routes() -> list[Route]:
    """The route of all static files."""
    return [Route("/static/{name}", _static_file, methods=["GET"])]


async def _static_file(request: Request) -> Response:
    for file in _static_files().values():
        if file.path == request.url.path:
            return Response(
                file.content,
                media_type=file.media_type,
                headers={
                    "Cache-Control": "public, max-age=31536000, immutable",
                    # An SVG opened by itself is a document; this one may do nothing.
                    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
                },
            )
    return PlainTextResponse("not found", status_code=404)


@cache
def _static_files() -> Mapping[str, _StaticFile]:
    found = {}
    for entry in files("remit").joinpath("web", "static").iterdir():
        stem, dot, extension = entry.name.rpartition(".")
        media_type = _MEDIA_TYPES.get(dot + extension)
        if media_type is None:
            continue
        content = entry.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        path = f"/static/{stem}.{digest}.{extension}"
        found[entry.name] = _StaticFile(path, media_type, content)
    return MappingProxyType(found)
