"""`options` of an engine in `remit.yaml`: text by name, read by the adapter. An unknown one is refused."""

from collections.abc import Mapping

from remit.policy.port import EngineUnavailableError

__all__ = ["number_option", "refuse_unknown_options", "switch_option"]


def refuse_unknown_options(options: Mapping[str, str], known: frozenset[str]) -> None:
    """Refuse what no adapter reads: whoever wrote it meant something.

    Raises:
        EngineUnavailableError: there is one.
    """
    unknown = sorted(options.keys() - known)
    if unknown:
        raise EngineUnavailableError(
            f"unknown option `{unknown[0]}`: there are `{'`, `'.join(sorted(known))}`"
        )


def number_option(options: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    """A whole number from 1 to `most`.

    Raises:
        EngineUnavailableError: it is none.
    """
    text = options.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise EngineUnavailableError(f"the option `{name}` is a whole number from 1 to {most}")
    return int(text)


def switch_option(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    """`true` or `false`.

    Raises:
        EngineUnavailableError: it is neither.
    """
    text = options.get(name)
    if text is None:
        return default
    if text not in {"true", "false"}:
        raise EngineUnavailableError(f"the option `{name}` is `true` or `false`")
    return text == "true"
