"""What the consent page says of the third party that a server needs. Source: AS-54."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from remit.model import Server

__all__ = ["ThirdPartyShown", "third_party_shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPartyShown:
    """What the consent page says of the third party: who it is, at which host, what is asked of it."""

    title: str
    host: str
    scopes: tuple[str, ...]


def third_party_shown(server: Server) -> ThirdPartyShown | None:
    """For the consent page of a server that needs a third party."""
    party = server.connection
    if party is None:
        return None
    host = urlsplit(party.issuer).netloc
    return ThirdPartyShown(title=party.title or host, host=host, scopes=party.scopes)
