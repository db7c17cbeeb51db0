"""A stdio server that knows nothing of the modern protocol: before `initialize`, everything is an error."""

import json
import sys

initialised = False
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        initialised = True
        result = {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {},
            "serverInfo": {"name": "legacy", "version": "1"},
        }
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
    elif initialised and message["method"] == "ping":
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": {}}
    else:
        error = {"code": -32602, "message": "invalid request parameters"}
        answer = {"jsonrpc": "2.0", "id": message["id"], "error": error}
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()
