"""Which person, how strongly authenticated, how recently: accounts, log-in, sessions.

Refuses: guesses beyond a few, forms from elsewhere, codes and challenges used twice, sessions
past their limits or weaker than the policy asks, and any word about which part of a log-in
was wrong.
"""

from remit.identity.account_section import AccountEntry, AccountSection
from remit.identity.accounts import (
    change_password,
    change_user,
    create_user,
    disable_user,
    enable_user,
    require_user,
    set_password,
)
from remit.identity.browser_session import ReadSession, session_reader
from remit.identity.deps import FormSources, IdentityDeps, RequiredAcr
from remit.identity.factor_store import Factors, factors_of
from remit.identity.factors import LastFactorError, reset_factors
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
from remit.identity.sessions import end_all_sessions, end_session, list_sessions
from remit.identity.sign_in_store import purge_sign_ins
from remit.identity.store import disabled_users, find_user, list_users, purge_sessions
from remit.identity.user import (
    InvalidAccountError,
    User,
    UserChanges,
    UserDetails,
    subject_of,
)

__all__ = [
    "ABSENT_PASSWORD",
    "ACR_MULTI_FACTOR",
    "ACR_PASSWORD",
    "ACR_PHISHING_RESISTANT",
    "ACR_VALUES",
    "AccountEntry",
    "AccountSection",
    "BusyError",
    "Factors",
    "FormSources",
    "IdentityDeps",
    "InvalidAccountError",
    "LastFactorError",
    "OpenedSession",
    "Passwords",
    "Proof",
    "ReadSession",
    "RequiredAcr",
    "Session",
    "User",
    "UserChanges",
    "UserDetails",
    "WeakPasswordError",
    "begin_session",
    "change_password",
    "change_user",
    "create_user",
    "disable_user",
    "disabled_users",
    "enable_user",
    "end_all_sessions",
    "end_session",
    "factors_of",
    "find_user",
    "list_sessions",
    "list_users",
    "open_session",
    "purge_sessions",
    "purge_sign_ins",
    "require_user",
    "reset_factors",
    "routes",
    "satisfies",
    "session_reader",
    "set_password",
    "subject_of",
    "with_session",
]
