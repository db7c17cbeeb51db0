"""A legacy stdio server that talks unasked, and repeats what it was told."""

import json
import sys

told = []
silent = []


def say(value):
    sys.stdout.write(f"{json.dumps({'jsonrpc': '2.0', **value})}\n")
    sys.stdout.flush()


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        told.append(message)
        continue
    number = message["id"]
    match message["params"].get("name"):
        case "chatty":
            say({"method": "notifications/message", "params": {"data": "hm"}})
            say({"id": "theirs", "method": "elicitation/create", "params": {}})
            say({"id": number, "result": {}})
        case "later":
            say({"id": number, "result": {}})
            say({"method": "notifications/tools/list_changed"})
        case "silent":
            silent.append(number)
        case "exit":
            sys.exit(0)
        case _:
            say(
                {
                    "id": number,
                    "result": {"told": told, "silent": silent, "protocolVersion": "2025-11-25"},
                }
            )
