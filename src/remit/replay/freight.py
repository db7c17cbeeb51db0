"""Repositories as bytes, for a process of our own that decides under them too.

The bytes go through a pipe between a process and its child and nowhere else; they are never written, and never
read from anybody else.
"""

import io
import pickle
from types import MappingProxyType
from typing import Any

__all__ = ["packed", "unpacked"]


def packed(value: object) -> bytes:
    """`value` as bytes for `unpacked`."""
    buffer = io.BytesIO()
    _Packer(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def unpacked(data: bytes) -> Any:
    """What `packed` made `data` of, in the process that started this one."""
    return pickle.loads(data)  # noqa: S301  from our own parent, over a pipe that nobody else has


class _Packer(pickle.Pickler):
    """Takes mappings that cannot be changed, too."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, MappingProxyType):
            return _frozen, (dict(obj),)
        return NotImplemented


def _frozen(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)
