"""Which person, how strongly authenticated, how recently: accounts, log-in, sessions.

Refuses: guesses beyond a few, forms from elsewhere, sessions past their limits, and any
word about which part of a log-in was wrong.
"""

from remit.identity.accounts import create_user, disable_user, enable_user, require_user
from remit.identity.browser_session import ReadSession, session_reader
from remit.identity.deps import FormSources, IdentityDeps, RequiredAcr
from remit.identity.pages import routes
from remit.identity.password import BusyError, Passwords, WeakPasswordError
from remit.identity.session import Session
from remit.identity.store import disabled_users, find_user, list_users, purge_sessions
from remit.identity.user import InvalidAccountError, User, UserDetails, subject_of

__all__ = [
    "BusyError",
    "FormSources",
    "IdentityDeps",
    "InvalidAccountError",
    "Passwords",
    "ReadSession",
    "RequiredAcr",
    "Session",
    "User",
    "UserDetails",
    "WeakPasswordError",
    "create_user",
    "disable_user",
    "disabled_users",
    "enable_user",
    "find_user",
    "list_users",
    "purge_sessions",
    "require_user",
    "routes",
    "session_reader",
    "subject_of",
]
