"""A modern stdio server with bad habits: noise, foreign ids, broken lines, lines too long, silence."""

import json
import sys
import time


def say(value):
    pass


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    number = message["id"]
    if message["method"] == "server/discover":
        say({"jsonrpc": "2.0", "id": number, "result": {"supportedVersions": ["2026-07-28"]}})
        continue
    name = message["params"].get("name")
    answer = {"jsonrpc": "2.0", "id": number, "result": {"content": [], "you": number}}
    match name:
        case "foreign":
            say({"jsonrpc": "2.0", "id": number + 1000, "result": {"content": ["not yours"]}})
            say(
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/message",
                    "params": {"data": "to nobody"},
                }
            )
            say(answer)
        case "token":
            token = message["params"]["_meta"]["progressToken"]
            say(
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/progress",
                    "params": {"progressToken": token, "progress": 1},
                }
            )
            say(answer)
        case "broken":
            say('{"jsonrpc":"2.0","id":%d,"result":{"a":NaN}}' % number)
        case "long":
            say({"jsonrpc": "2.0", "id": number, "result": {"content": ["x" * 200_000]}})
        case "exit":
            sys.exit(1)
        case "silent":
            pass
        case "slow":
            time.sleep(0.3)
            say(answer)
        case _:
            say(answer)
