"""`lint:` in `remit.yaml`: what each kind of remark is worth in this repository. Mistakes cannot be turned down."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from remit.documents import did_you_mean, mistake, one_of, quoted
from remit.repository.kinds import KINDS, Severity, lint_codes

__all__ = ["LintCode", "LintSection"]


def _check_code(text: str) -> str:
    if text in lint_codes():
        return text
    if text in KINDS:
        raise mistake(
            f"{quoted(text)} is a mistake, which is never worth less",
            expected="the code of a remark",
        )
    near = did_you_mean(text, lint_codes())
    raise mistake(f"there is no remark {quoted(text)}{near}", expected=one_of(lint_codes()))


LintCode = Annotated[
    str,
    AfterValidator(_check_code),
    WithJsonSchema({"type": "string", "enum": sorted(lint_codes())}),
]
"""The code of a kind of remark."""
LintSection = dict[LintCode, Severity]
"""What kinds of remarks are worth, by their codes."""
