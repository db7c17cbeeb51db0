"""The policy repository on disk, format version 1, and the catalog that it declares.

A repository with a mistake is never loaded; all its mistakes are reported at once,
each with file, line and column. The reference is docs/reference/policy-repository.md.
"""

from remit.repository.folder import RepositoryMissingError
from remit.repository.loading import (
    Findings,
    LoadedRepository,
    PolicyCheck,
    RepositoryInvalidError,
    check_repository,
    load_contents,
    load_repository,
)
from remit.repository.named_secrets import NamedSecret, named_secrets
from remit.repository.schemas import json_schemas
from remit.repository.writing import write_example

__all__ = [
    "Findings",
    "LoadedRepository",
    "NamedSecret",
    "PolicyCheck",
    "RepositoryInvalidError",
    "RepositoryMissingError",
    "check_repository",
    "json_schemas",
    "load_contents",
    "load_repository",
    "named_secrets",
    "write_example",
]
