"""How third parties are asked, and where what they issue is sealed; handed in by the application."""

from dataclasses import dataclass

from remit.identity.providers import PostForm
from remit.secrets import SecretBox
from remit.tokens.published import Published

__all__ = ["ThirdPartyAccess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPartyAccess:
    """Without this, a server that needs a third party is closed to everybody."""

    box: SecretBox
    published: Published
    post_form: PostForm
