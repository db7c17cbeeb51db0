"""People who say yes, in memory: what `approvals` is to the guard, without a database."""

from dataclasses import replace

from remit.canonical import canonical_bytes
from remit.guard.elevations import Asked, AskedState, Elevated, ElevationsUnavailableError

PAGE = "https://remit.example/approvals/"


class People:
    """Asks about every call once, and is told by the test what they said."""

    def __init__(self):
        self.asked, self.said, self.spent = {}, {}, {}
        self.wishes = []
        self.away = False

    def say_yes(self, number=1, **facts):
        """To the call that was asked about as that one."""
        self.said[f"apr_{number}"] = Elevated(
            id=f"elv_{number}", grant_id=f"gnt_elv_{number}", **facts
        )

    async def found(self, wanted):
        self._hear("find", wanted)
        request = self.asked.get(_key(wanted))
        elevated = self.said.get(request)
        if elevated is None:
            return None
        spent_for = self.spent.get(elevated.id)
        if spent_for is None or spent_for in {wanted.earlier, wanted.task_of}:
            return elevated
        return None

    async def spend(self, elevated, wanted):
        self._hear("spend", wanted)
        if self.spent.get(elevated.id) not in {None, wanted.earlier}:
            return False
        self.spent[elevated.id] = wanted.decision_id
        return True

    async def ask(self, wanted):
        self._hear("ask", wanted)
        request = self.asked.setdefault(_key(wanted), f"apr_{len(self.asked) + 1}")
        return Asked(
            id=request,
            state=AskedState.WAITING,
            url=PAGE + request,
            expires_at=wanted.at + 600,
            alone=True,
        )

    def _hear(self, what, wanted):
        self.wishes.append((what, replace(wanted, authorization=())))
        if self.away:
            raise ElevationsUnavailableError("the database does not answer")


def _key(wanted):
    token = wanted.token
    who = (token.organization_id, token.sub, token.agent_id, token.client_id, token.grant_id)
    return (*who, wanted.thing, wanted.definition, canonical_bytes(wanted.arguments))
