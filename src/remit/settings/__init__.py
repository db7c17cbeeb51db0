"""What an operator may set: one frozen value, read once from defaults, file, environment and flags."""

from remit.settings.addresses import is_loopback_host
from remit.settings.faults import Fault, Origin, SettingsInvalidError
from remit.settings.load import LoadedSettings, load_settings
from remit.settings.model import AuditStore, LogFormat, LogLevel, Policies, Settings

__all__ = [
    "AuditStore",
    "Fault",
    "LoadedSettings",
    "LogFormat",
    "LogLevel",
    "Origin",
    "Policies",
    "Settings",
    "SettingsInvalidError",
    "is_loopback_host",
    "load_settings",
]
