"""The demonstration: real servers, a real agent, a real refusal, a log that proves itself.

Nothing here is used by `remit serve`. `main.run_demo` tells the story; the two
MCP servers are ordinary programs on the official SDK and can be started alone.
"""
