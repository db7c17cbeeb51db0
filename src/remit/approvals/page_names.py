"""Whether the name of an agent could be taken for another's: by letters that look the same, by alphabets mixed in one word.

Only a word of warning on the page hangs on it; who an agent is, its identifier says, and its owner.

Source: UTS #39 §4 (skeletons), §5.1 (mixed scripts), its table of confusables for Cyrillic, Greek and Armenian.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from unicodedata import name as character_name
from unicodedata import normalize

from remit.ids import AgentId
from remit.model import Agent

__all__ = ["doubtful_letters", "look_alike_of", "skeleton"]

_ALPHABETS: Final = (
    "LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "HEBREW", "ARABIC", "CHEROKEE", "COPTIC", "GEORGIAN",
)  # fmt: skip
# Small letters, after case folding: which are taken for the one before the colon.
_TAKEN: Final = (
    "a:аαάɑ e:еε3зє o:оοօ0ᴏ p:рρ c:сꮯᴄ y:уγ x:хχ l:іιıɩ1|iӏ j:јյ s:ѕ5 "  # noqa: RUF001  they are meant
    "h:һհн d:ԁ q:ԛզգ w:ԝωᴡ u:цսυ b:вьβ k:кκ m:м t:тτ r:г v:νѵᴠ n:ηոп g:ցɡ z:ᴢ"  # noqa: RUF001
)
_TAKEN_FOR: Final[Mapping[str, str]] = MappingProxyType(
    {one: pair[0] for pair in _TAKEN.split() for one in pair[2:]}
)
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


def skeleton(text: str) -> str:
    """What is left of a name once letters that look the same are the same. For comparing, never for showing."""
    folded = normalize("NFD", normalize("NFKC", text).casefold())
    seen = "".join(_TAKEN_FOR.get(one, one) for one in folded if one.isalnum() or one == "|")
    for pair, single in _PAIRS:
        seen = seen.replace(pair, single)
    return seen


def look_alike_of(name: str, own: AgentId, agents: Mapping[AgentId, Agent]) -> Agent | None:
    """Another agent than `own` whose name, or identifier, `name` could be taken for."""
    looks = skeleton(name)
    for agent in agents.values():
        if agent.id != own and looks in {skeleton(agent.name), skeleton(agent.id)}:
            return agent
    return None


def doubtful_letters(name: str) -> bool:
    """Whether a word of `name` mixes alphabets, as a forged one does and hardly any honest one."""
    return any(len(_alphabets(word)) > 1 for word in name.split())


def _alphabets(word: str) -> frozenset[str]:
    found = set()
    for one in word:
        if one.isalpha():
            first = character_name(one, "").partition(" ")[0]
            found.add(first if first in _ALPHABETS else "OTHER")
    # Chinese, Japanese and Korean names are written in several at once, with Latin letters between.
    return frozenset(found) if "OTHER" not in found else frozenset()
