"""What was done before, as far as somebody declared that it counts: kept, told, trimmed, forgotten.

Refuses to tell what it does not know for certain: whoever asks is refused then, and is not told nought.
"""

from remit.history.erasure import forget_history
from remit.history.past import DatabasePast
from remit.history.store import consent_of
from remit.history.trimming import trim_history
from remit.history.values import told_of

__all__ = ["DatabasePast", "consent_of", "forget_history", "told_of", "trim_history"]
