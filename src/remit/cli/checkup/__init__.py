"""What `remit doctor` looks at, one module for each place it looks. Each check only reads."""

from remit.cli.checkup.finding import Finding, Level

__all__ = ["Finding", "Level"]
