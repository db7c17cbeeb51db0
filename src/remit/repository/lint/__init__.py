"""What is right in a policy repository and still worth a second look: too wide, never used, never reached.

A remark refuses nothing by itself; `lint:` in `remit.yaml` and `remit check --strict` say which do.
Least privilege is not a matter of taste, so each kind says why it matters and what to do.
"""

from remit.repository.kinds import KINDS, Kind, Severity
from remit.repository.lint.fixing import Fixed, fix_contents
from remit.repository.lint.linting import Remark, lint

__all__ = ["KINDS", "Fixed", "Kind", "Remark", "Severity", "fix_contents", "lint"]
