"""What people are asked beyond what policies allow by themselves, what they said, and what came of it.

Requests and answers, elevations, access for a while, emergency access, and how people are told. Decides who may answer
what, and whether enough of them did; never whether a call may be: policies do.

Source: docs/adr/0025-cures.md; MISSION C1 to C6.
"""

__all__: list[str] = []
