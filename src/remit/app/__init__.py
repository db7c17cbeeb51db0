"""The application: the only place where rooms meet, and how the process starts, serves and stops."""

from remit.app.data_folder import DataFolder, DataFolderError, DataFolderInUseError
from remit.app.reload import LoadedPolicies, PolicyReload, load_policies
from remit.app.serve import serve
from remit.app.wiring import App, build

__all__ = [
    "App",
    "DataFolder",
    "DataFolderError",
    "DataFolderInUseError",
    "LoadedPolicies",
    "PolicyReload",
    "build",
    "load_policies",
    "serve",
]
