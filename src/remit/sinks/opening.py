"""A sink by what the policy repository says of it: one of ours, or a plug-in by the name of its entry point in `remit.sinks`.

Loaded is the one that is named, and never whatever else is installed: a package that came along with another must not
get to read the log. Refused: a name that nobody or more than one package has, a form that there is none of, and what is
no sink.

Source: PyPA entry points specification; docs/guides/sinks.md.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final

from remit.clock import Clock
from remit.errors import Error
from remit.model import SinkRules
from remit.sinks.apart import Apart
from remit.sinks.forms.form import FORMS
from remit.sinks.port import AuditSink, SinkSettings
from remit.sinks.receivers.archive import ArchiveSink
from remit.sinks.receivers.elastic import ElasticSink
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.receivers.otlp import OtlpSink
from remit.sinks.receivers.splunk import SplunkSink
from remit.sinks.receivers.syslog import SyslogSink
from remit.sinks.receivers.webhook import WebhookSink

__all__ = ["GROUP", "KINDS", "open_sink", "settings_of"]

GROUP: Final = "remit.sinks"
KINDS: Final[Mapping[str, Callable[[SinkSettings], AuditSink]]] = MappingProxyType(
    {
        "archive": ArchiveSink,
        "elastic": ElasticSink,
        "otlp": OtlpSink,
        "splunk": SplunkSink,
        "syslog": SyslogSink,
        "webhook": WebhookSink,
    }
)
"""The sinks that Remit brings."""


def settings_of(
    rules: SinkRules, *, read_secret: Callable[[str], str], clock: Clock
) -> SinkSettings:
    """What a sink is told.

    Raises:
        SinkMisdeclaredError: there is no such form.
    """
    form = FORMS.get(rules.form)
    if form is None:
        raise SinkMisdeclaredError(f"the sink `{rules.name}` has a form that there is not")
    return SinkSettings(
        name=rules.name,
        url=rules.url,
        form=form,
        read_secret=(lambda: None) if rules.secret is None else partial(read_secret, rules.secret),
        options=rules.options,
        clock=clock,
    )


def open_sink(kind: str, settings: SinkSettings) -> AuditSink:
    """The sink; nothing is sent yet. Blocks: files are read, and a plug-in does what it does.

    Raises:
        SinkMisdeclaredError: there is none of that kind, or it cannot be opened as it is declared.
    """
    own = KINDS.get(kind)
    return own(settings) if own is not None else _plugin(kind, settings)


def _plugin(kind: str, settings: SinkSettings) -> AuditSink:
    found = tuple(entry_points(group=GROUP, name=kind))
    if not found:
        raise SinkMisdeclaredError(f"no sink `{kind}` is known, and no plug-in of that name")
    if len({one.value for one in found}) > 1:
        raise SinkMisdeclaredError(f"more than one plug-in `{kind}` is installed")
    try:
        return Apart(lambda: found[0].load()(settings), kind)
    except Error:
        raise
    except Exception as error:
        raise SinkMisdeclaredError(
            f"the plug-in `{kind}` cannot be loaded: {type(error).__name__}", cause=error
        ) from error
