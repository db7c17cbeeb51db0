"""What may stand in front: a bare proxy, and the gateway without a guard worth the name.

python -m benchmarks._front proxy|pyreqwest|gateway PORT UPSTREAM
"""

import sys

import uvicorn


def proxy(_port, upstream):
    """The least that a proxy on our own parts can do: bytes in, bytes out, connections kept."""
    from remit.web.pool import Pool  # noqa: PLC0415  each pays for its own imports

    pool = Pool(upstream)

    async def forward(body):
        headers = [("content-type", "application/json")]
        async with pool.request("POST", headers, body, seconds=60) as response:
            answer = b""
            while (chunk := await response.read_chunk()) is not None:
                answer += chunk
            return response.status, answer

    return _application(forward)


def pyreqwest(_port, upstream):
    """The same on a client library that others use, written in Rust."""
    from pyreqwest.client import ClientBuilder  # noqa: PLC0415

    client = ClientBuilder().follow_redirects(False).no_proxy().build()

    async def forward(body):
        request = client.post(upstream).header("content-type", "application/json").body_bytes(body)
        response = await request.build().send()
        return response.status, bytes(await response.bytes())

    return _application(forward)


def gateway(port, upstream):
    """Remit's gateway; its guard permits everything and keeps nothing."""
    from remit.gateway import Roster  # noqa: PLC0415
    from remit.model import HttpUpstream  # noqa: PLC0415
    from tests.gateway import doubles  # noqa: PLC0415

    class Forgetful(doubles.ListGuard):
        async def decide(self, call):
            permit = await super().decide(call)
            self.decided.clear()
            return permit

        async def complete(self, permit, call, *, result):
            return None

    return doubles.gateway(
        Forgetful(),
        Roster(str),
        doubles.server_of("bench", upstream=HttpUpstream(url=upstream)),
        public_url=f"http://127.0.0.1:{port}",
    )


def _application(forward):
    async def app(_scope, receive, send):
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        status, answer = await forward(body)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


if __name__ == "__main__":
    kind, port, upstream = sys.argv[1:]
    uvicorn.run(
        {"proxy": proxy, "pyreqwest": pyreqwest, "gateway": gateway}[kind](int(port), upstream),
        host="127.0.0.1", port=int(port), log_level="error", access_log=False, lifespan="off",
        loop="uvloop", http="httptools",
    )  # fmt: skip
