"""Engines that others wrote, by the name of their entry point in `remit.policy_engines`.

Loaded is the one that the policy repository names, and never whatever else is installed: a package that came
along with another must not get to decide, nor run at all. Refused: a name that nobody or more than one
package has, and what is no engine.

Source: PyPA entry points specification; docs/guides/policy-engines.md.
"""

from importlib.metadata import entry_points
from typing import Final

from remit.policy.port import EngineSettings, EngineUnavailableError, ExternalPolicyEngine

__all__ = ["GROUP", "load_plugin"]

GROUP: Final = "remit.policy_engines"


def load_plugin(name: str, settings: EngineSettings) -> ExternalPolicyEngine:
    """The engine of the plug-in `name`.

    Raises:
        EngineUnavailableError: there is none, or it cannot be loaded or opened.
    """
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        raise EngineUnavailableError(f"no plug-in `{name}` is installed")
    if len({one.value for one in found}) > 1:
        raise EngineUnavailableError(f"more than one plug-in `{name}` is installed")
    try:
        engine: ExternalPolicyEngine = found[0].load()(settings)
    except EngineUnavailableError:
        raise
    except Exception as error:
        raise EngineUnavailableError(
            f"the plug-in `{name}` cannot be loaded: {type(error).__name__}", cause=error
        ) from error
    if not callable(getattr(engine, "evaluate_all", None)):
        raise EngineUnavailableError(f"the plug-in `{name}` is no policy engine")
    return engine
