"""Where things stand in Cedar text: its statements, and the place a mistake is at.

The Cedar binding says what is wrong and not where. So a file is cut into its
statements (each ends at a `;`), each is checked alone, and within one the place is
found again: a syntax error by the shortest beginning that no text can complete,
a validation error by the words it quotes.

Source: Cedar policy grammar (comments, strings, `;`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from remit.documents import Problem

__all__ = [
    "Statement",
    "Token",
    "find_quoted",
    "find_syntax_error",
    "problem_at",
    "split_statements",
]

_LEXEMES = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
      | (?P<lexeme>"(?:\\.|[^"\\])*"        # a string
      | ".*                                # a string that never ends
      | \??[A-Za-z_]\w* | \d+              # a word or a slot, a number
      | :: | == | != | <= | >= | && | \|\|
      | .)""",
    re.VERBOSE | re.DOTALL,
)
_NESTING = frozenset({"(", "[", "{", ".", "&&", "||", "+", "-", "*", "!", "if", "has", "=="})
_END = "unexpected end of input"
_NAMED = re.compile(r"(?:`|: )(?P<word>[^`]+?)(?:`|$)")
_QUOTED = re.compile(r"`([^`]+)`")
_ENTITY = re.compile(r'(?P<type>\w+(?:::\w+)*)::(?P<id>"(?:\\.|[^"\\])*")')


@dataclass(frozen=True, slots=True)
class Token:
    """A word, string or sign, and its offset in the file."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One policy as it stands in its file: its text up to the `;`, its offset, its tokens."""

    text: str
    offset: int
    tokens: tuple[Token, ...]

    @property
    def nesting(self) -> int:
        """How deeply the parser could have to nest at most: every sign that can open a level."""
        return sum(token.text in _NESTING for token in self.tokens)


def split_statements(text: str) -> list[Statement]:
    """The statements of a file, in order; what follows the last `;` is one too, if it is anything."""
    statements: list[Statement] = []
    tokens: list[Token] = []
    for match in _LEXEMES.finditer(text):
        if match["lexeme"] is None:
            continue
        tokens.append(Token(match["lexeme"], match.start()))
        if match["lexeme"] == ";":
            statements.append(_statement(text, tokens))
            tokens = []
    if tokens:
        statements.append(_statement(text, tokens))
    return statements


def find_syntax_error(
    statement: Statement, parse: Callable[[str], object], message: str
) -> tuple[Token, str]:
    """The token that made `parse` refuse `statement` with `message`, and what to say of it."""
    tokens = statement.tokens
    for token in tokens:
        if token.text.startswith('"') and "\n" in token.text:
            return token, "a string does not end on its line"
    if message == _END:
        return tokens[-1], message
    last = _first_hopeless(statement, parse)
    named = _NAMED.search(message)
    if named is None:
        return tokens[last], message
    # The parser may notice one token late; what it names is the last such token before.
    before = (token for token in reversed(tokens[: last + 1]) if token.text == named["word"])
    return next(before, tokens[last]), message


def _first_hopeless(statement: Statement, parse: Callable[[str], object]) -> int:
    """The first token after which no text could make a policy of it, as far as `parse` can tell."""
    low, high = 1, len(statement.tokens)
    while low < high:
        middle = (low + high) // 2
        said = _complaint(_beginning(statement, middle), parse)
        if said is None or said == _END:
            low = middle + 1
        else:
            high = middle
    return low - 1


def find_quoted(statement: Statement, message: str) -> Token:
    """The first token that `message` quotes, or the statement's effect, which every one has."""
    for quoted in _QUOTED.findall(message):
        entity = _ENTITY.fullmatch(quoted)
        word = quoted.split("::")[-1].split(".")[-1]
        for wanted in (entity["id"] if entity else quoted, f'"{quoted}"', word):
            for token in statement.tokens:
                if token.text == wanted:
                    return token
    for token in statement.tokens:
        if token.text in {"permit", "forbid"}:
            return token
    return statement.tokens[0]


def problem_at(
    filename: str, text: str, *, token: Token, message: str, expected: str = ""
) -> Problem:
    """`message` as a problem at `token`, with the line it stands in."""
    start = text.rfind("\n", 0, token.offset) + 1
    end = text.find("\n", token.offset)
    first_line = token.text.split("\n", 1)[0]
    return Problem(
        file=filename,
        line=text.count("\n", 0, token.offset) + 1,
        column=token.offset - start + 1,
        message=message,
        expected=expected,
        excerpt=text[start : end if end >= 0 else len(text)],
        width=max(1, len(first_line)),
    )


def _statement(text: str, tokens: list[Token]) -> Statement:
    start, last = tokens[0].offset, tokens[-1]
    return Statement(text[start : last.offset + len(last.text)], start, tuple(tokens))


def _beginning(statement: Statement, count: int) -> str:
    last = statement.tokens[count - 1]
    return statement.text[: last.offset + len(last.text) - statement.offset]


def _complaint(text: str, parse: Callable[[str], object]) -> str | None:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None
