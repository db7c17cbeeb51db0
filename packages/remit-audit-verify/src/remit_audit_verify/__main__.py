"""`python -m remit_audit_verify`."""

import sys

from remit_audit_verify.command import main

if __name__ == "__main__":
    sys.exit(main())
