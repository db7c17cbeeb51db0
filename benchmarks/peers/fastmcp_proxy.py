"""FastMCP's proxy, which verifies a JWT itself. Runs in an environment of its own: `fastmcp`, and nothing of ours.

    python fastmcp_proxy.py PORT UPSTREAM

Prints a token that it accepts, then serves.
"""

import sys

from fastmcp.server import create_proxy
from fastmcp.server.auth.providers.jwt import JWTVerifier, RSAKeyPair

port, upstream = int(sys.argv[1]), sys.argv[2]
keys = RSAKeyPair.generate()
address = f"http://127.0.0.1:{port}"
print(
    keys.create_token(
        subject="dana", issuer=address, audience=address, scopes=["read"], expires_in_seconds=86400
    ),
    flush=True,
)
verifier = JWTVerifier(public_key=keys.public_key, issuer=address, audience=address)
server = create_proxy(upstream, name="bench", auth=verifier)
server.run(
    transport="http", host="127.0.0.1", port=port, path="/mcp", show_banner=False,
    json_response=True, stateless_http=True,
    uvicorn_config={"log_level": "error", "access_log": False, "loop": "uvloop", "http": "httptools"},
)  # fmt: skip
