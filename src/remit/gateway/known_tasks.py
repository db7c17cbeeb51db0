"""Which tasks of a server were given to whom, as far as this process remembers.

Handles need no memory; what names a task by the server's own word does: lists of tasks, news of
their status, messages that belong to one. What is not remembered is left out, and what is
forgotten is found again as soon as its handle is used. So much is kept for each principal, and for
so many; the longest unused go first.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from remit.gateway.principal import Principal
from remit.gateway.task_handle import Task
from remit.ids import ServerName

__all__ = ["KnownTask", "KnownTasks"]

_PER_PRINCIPAL: Final = 256
_PRINCIPALS: Final = 4096

_Owner = tuple[ServerName, Principal]


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task, and the handle under which its owner knows it."""

    task: Task
    handle: str


class KnownTasks:
    """The tasks that this process has given out or seen used."""

    def __init__(
        self, *, per_principal: int = _PER_PRINCIPAL, principals: int = _PRINCIPALS
    ) -> None:
        self._per_principal = per_principal
        self._principals = principals
        self._owned: OrderedDict[_Owner, OrderedDict[str, KnownTask]] = OrderedDict()

    def remember(self, task: Task, handle: str) -> None:
        """Know `task` by the server's name for it, and by no other handle than this one."""
        owner = task.server, task.principal
        owned = self._owned.setdefault(owner, OrderedDict())
        owned[task.id] = KnownTask(task, handle)
        owned.move_to_end(task.id)
        self._owned.move_to_end(owner)
        while len(owned) > self._per_principal:
            owned.popitem(last=False)
        while len(self._owned) > self._principals:
            self._owned.popitem(last=False)

    def find(self, task_id: str, server: ServerName, principal: Principal) -> KnownTask | None:
        """The task of `principal`'s that `server` calls `task_id`."""
        owned = self._owned.get((server, principal))
        return None if owned is None else owned.get(task_id)
