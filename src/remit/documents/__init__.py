"""YAML read strictly, every value with its line and column, and what is wrong said all at once.

Three steps, each usable alone::

    document = load_yaml(path)                  # DocumentInvalidError: not strict YAML
    model = validate(document, ServerFile)      # DocumentInvalidError: does not fit the model
    problem = document.problem(("tools", "refund", "scopes", 0), "unknown scope `x`")

- `load_yaml(path, file=…)` and `parse_yaml(data, file=…)` give a `Document`: `document.root` is the
  tree of `Node`s, `document.value` the plain value, `document.find(("tools", ANY, "scopes", ANY))`
  walks it, `document.problem(path, …)` points at the value (or the key) that stands at a path, or
  at the nearest thing that does exist.
- `read_yaml(data, file=…)` gives the tree of a refused file too, with what is wrong with it: for
  whoever reports mistakes and loads nothing.
- `validate(document, model)` returns an instance of the pydantic `model`; unknown keys
  (`extra="forbid"`) come with the nearest known one. A room that merges other sources before it
  validates calls `problems_of(document, error, model)` with the `pydantic.ValidationError` itself.
- Both raise `DocumentInvalidError`, whose `problems` are every one that was found. Whoever reads
  several files catches it, collects, and reports together.
- `lay_over(below, above)` merges two documents (RFC 7396); each part keeps its file and its line.
- `render_problems(problems)` shows each with its line and a caret, for a terminal.
- `mistake(message, expected=…)` is what a model's own validator raises.
- `Duration` is the field type of `10m`, `12h`, `30d`: it gives `Seconds`.

Refused: anchors, aliases, tags, directives, several documents in one file, duplicate keys, keys
that are not text, a byte-order mark, other encodings than UTF-8, more than 1 MiB, deep nesting.

Source: YAML 1.2.2, core schema (§10.3), so `no`, `on` and `2026-11-21` are text.
"""

from remit.documents.document import ANY, Document, Node, Path, Pattern, Plain, Position
from remit.documents.duration import Duration, duration_field, parse_duration
from remit.documents.mistake import mistake
from remit.documents.overlay import is_removal, lay_over, lay_over_nothing
from remit.documents.problem import DocumentInvalidError, Problem, quoted
from remit.documents.reading import Reading, load_yaml, parse_yaml, read_yaml
from remit.documents.rendering import render_problems
from remit.documents.suggestion import did_you_mean, one_of
from remit.documents.validation import problems_of, validate

__all__ = [
    "ANY",
    "Document",
    "DocumentInvalidError",
    "Duration",
    "Node",
    "Path",
    "Pattern",
    "Plain",
    "Position",
    "Problem",
    "Reading",
    "did_you_mean",
    "duration_field",
    "is_removal",
    "lay_over",
    "lay_over_nothing",
    "load_yaml",
    "mistake",
    "one_of",
    "parse_duration",
    "parse_yaml",
    "problems_of",
    "quoted",
    "read_yaml",
    "render_problems",
    "validate",
]
