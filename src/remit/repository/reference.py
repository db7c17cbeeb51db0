"""The part of the reference that is generated: the schemas, and the tables of keys.

`python -m remit.repository.reference` brings `docs/reference/` up to date; a test
fails when it is not. Tables stand between `<!-- keys: server -->` and `<!-- end -->`.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import orjson

from remit.canonical import Json, JsonObject
from remit.repository.schemas import json_schemas

__all__ = ["PAGES", "main", "refresh_page", "schema_bytes", "tables"]

_PLACE: Final = re.compile(r"(<!-- keys: (?P<kind>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
PAGES: Final = ("policy-repository.md", "decision-tables.md")
"""The pages that have tables of keys."""
_FOLDER: Final = "schemas"
_SECTION: Final = "Section"


def main(arguments: list[str]) -> int:
    """Write the schemas and refresh the tables below the folder given, by default `docs/reference`."""
    folder = Path(arguments[0] if arguments else "docs/reference")
    (folder / _FOLDER).mkdir(parents=True, exist_ok=True)
    for name, schema in json_schemas().items():
        (folder / _FOLDER / name).write_bytes(schema_bytes(schema))
    for name in PAGES:
        page = folder / name
        if page.exists():
            page.write_text(refresh_page(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def schema_bytes(schema: JsonObject) -> bytes:
    """A schema as it is written to a file."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n"


def refresh_page(page: str) -> str:
    """`page` with the tables of every kind of file as the models have them now.

    Raises:
        KeyError: the page has a place for a kind of file that does not exist.
    """
    found = tables()
    return _PLACE.sub(lambda place: f"{place[1]}\n{found[place['kind']]}\n{place[3]}", page)


def tables() -> dict[str, str]:
    """The tables of each kind of file, by its name: first the file's own keys, then each mapping in it."""
    return {
        name.removesuffix(".schema.json"): "\n".join(_sections(schema))
        for name, schema in json_schemas().items()
    }


def _sections(schema: JsonObject) -> Iterator[str]:
    definitions = _object(schema.get("$defs"))
    if "properties" in schema:
        yield _table(schema, definitions)
    for name, definition in definitions.items():
        section = _object(definition)
        if "properties" in section:
            heading = f"#### {_spoken(name)}\n\n{section.get('description', '')}"
            yield f"{heading}\n\n{_table(section, definitions)}"


def _table(section: Mapping[str, Json], definitions: Mapping[str, Json]) -> str:
    needed = _texts(section.get("required"))
    rows = ["| key | value | default | what it is |", "|---|---|---|---|"]
    for name, one in _object(section["properties"]).items():
        field = _object(one)
        default = "**required**" if name in needed else _default(field)
        referred = _object(definitions.get(_referred(field)))
        words = field.get("description") or referred.get("description") or ""
        rows.append(f"| `{name}` | {_value(field, definitions)} | {default} | {words} |")
    return "\n".join(rows) + "\n"


def _value(field: Mapping[str, Json], definitions: Mapping[str, Json]) -> str:
    """In words, what may stand there."""
    alternatives = field.get("anyOf")
    if isinstance(alternatives, list):
        some = [one for one in map(_object, alternatives) if one.get("type") != "null"]
        return " or ".join(_value(one, definitions) for one in some)
    name = _referred(field)
    if name.endswith(_SECTION):
        return f"[{_spoken(name).lower()}](#{_spoken(name).lower().replace(' ', '-')})"
    if name:
        return _value(_object(definitions[name]), definitions)
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in _texts(field["enum"]))
    match field.get("type"):
        case "array":
            least = f", at least {field['minItems']}" if "minItems" in field else ""
            return f"list of {_value(_object(field.get('items')), definitions)}{least}"
        case "object" if not _values_of(field):
            return "mapping"
        case "object":
            return f"mapping of names to {_value(_values_of(field), definitions)}"
        case "string":
            return f"text{_example(field)}"
        case "integer":
            most = f" to {field['maximum']}" if "maximum" in field else ""
            return f"whole number from {field.get('minimum', 0)}{most}"
        case list():
            return "any value"
        case _:
            return "`true` or `false`"


def _values_of(field: Mapping[str, Json]) -> Mapping[str, Json]:
    patterned = _object(field.get("patternProperties"))
    return _object(next(iter(patterned.values()), field.get("additionalProperties")))


def _referred(field: Mapping[str, Json]) -> str:
    """The name of the definition that `field` is, if it is one."""
    return str(field.get("$ref", "")).rpartition("/")[2]


def _example(field: Mapping[str, Json]) -> str:
    examples = _texts(field.get("examples"))
    return f", such as `{examples[0]}`" if examples else ""


def _default(field: Mapping[str, Json]) -> str:
    value = field.get("default")
    if _referred(field).endswith(_SECTION):
        return "as below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return ", ".join(f"`{one}`" for one in value) or "none"
    return f"`{value}`" if value else "none"


def _texts(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _spoken(name: str) -> str:
    """`StaticClientSection` as a heading: `Static client`."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name.removesuffix(_SECTION))
    return words.capitalize()


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
