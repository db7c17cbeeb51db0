"""Connections: what a third party issued to Remit, its one static client, for one person and one server.

Refuses to send anybody there before they allowed this very client on our own page.
Source: MCP 2026-07-28 security best practices (confused deputy); RFC 9700 §4.4; AS-52 to AS-57.
"""
