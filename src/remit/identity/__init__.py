"""Which person, how strongly authenticated, how recently: accounts, log-in, sessions.

Refuses: guesses beyond a few, forms from elsewhere, sessions past their limits, and any
word about which part of a log-in was wrong.
"""

from remit.identity.account_section import AccountEntry, AccountSection
from remit.identity.accounts import create_user, disable_user, enable_user, require_user
from remit.identity.browser_session import ReadSession, session_reader
from remit.identity.deps import FormSources, IdentityDeps, RequiredAcr
from remit.identity.opening import OpenedSession, Proof, begin_session, open_session, with_session
from remit.identity.pages import routes
from remit.identity.password import ABSENT_PASSWORD, BusyError, Passwords, WeakPasswordError
from remit.identity.session import (
    ACR_MULTI_FACTOR,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    ACR_VALUES,
    Session,
    satisfies,
)
from remit.identity.store import disabled_users, find_user, list_users, purge_sessions
from remit.identity.user import InvalidAccountError, User, UserDetails, subject_of

__all__ = [
    "ABSENT_PASSWORD",
    "ACR_MULTI_FACTOR",
    "ACR_PASSWORD",
    "ACR_PHISHING_RESISTANT",
    "ACR_VALUES",
    "AccountEntry",
    "AccountSection",
    "BusyError",
    "FormSources",
    "IdentityDeps",
    "InvalidAccountError",
    "OpenedSession",
    "Passwords",
    "Proof",
    "ReadSession",
    "RequiredAcr",
    "Session",
    "User",
    "UserDetails",
    "WeakPasswordError",
    "begin_session",
    "create_user",
    "disable_user",
    "disabled_users",
    "enable_user",
    "find_user",
    "list_users",
    "open_session",
    "purge_sessions",
    "require_user",
    "routes",
    "satisfies",
    "session_reader",
    "subject_of",
    "with_session",
]
