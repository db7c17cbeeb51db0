"""A modern stdio server with bad habits: noise, foreign ids, broken lines, lines too long, silence."""

import json
import os
import sys
import time


def write(text, stream):
    stream.write(f"{text}\n")
    stream.flush()


def say(value):
    write(value if isinstance(value, str) else json.dumps(value), sys.stdout)


write("welcome to the odd server", sys.stdout)
write("Bearer abc.def secret-value-123 on standard error", sys.stderr)

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        write(f"notified {message['method']} {json.dumps(message['params'])}", sys.stderr)
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
            say('{"jsonrpc":"2.0","id":NUMBER,"result":{"a":NaN}}'.replace("NUMBER", str(number)))
        case "garbled":
            say('{"jsonrpc":"2.0","id":7,"result":{"a":NaN}}')
            say(answer)
        case "forge":
            for other in range(number - 20, number + 20):
                if other != number:
                    say({**answer, "id": other})
            for other in range(20):
                say({**answer, "id": other})
            say(answer)
        case "echo":
            say({**answer, "result": {"content": [{"text": f"Bearer {os.environ['KEY']}"}]}})
        case "echo escaped":
            escaped = "".join(f"\\u{ord(letter):04x}" for letter in os.environ["KEY"])
            error = json.dumps({"code": 1, "message": "KEY"}).replace("KEY", escaped)
            say(f'{{"jsonrpc":"2.0","id":{number},"error":{error}}}')
        case "echo in a key":
            say({**answer, "result": {"content": [], os.environ["KEY"]: 1}})
        case "echo place":
            say({**answer, "result": {"content": [os.environ["PLACE"]]}})
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
