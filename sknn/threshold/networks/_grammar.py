"""The grammar of propositions: text to tokens, tokens to a tree, without recursion or eval.

Precedence is Python's, for words and for symbols; what Python lacks is around it. From the loosest:
``<->``; ``->``, to the right; ``or``, ``nor``; ``and``, ``nand``; ``not``; ``|``; ``^``, ``xor``;
``&``; ``~``.
"""

import keyword
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

ALLOWED = (
    "names, and, or, not, xor, nand, nor, ->, <->, the symbols & | ^ ~ ! ∧ ∨ ⊕ ¬ → ↔, parentheses, "
    "true, false, 1 and 0"
)

Kind = Literal["name", "constant", "not", "and", "or", "xor"]
Operator = Literal["not", "and", "or", "xor", "nand", "nor", "implies", "iff", "("]

#: spellings of operators in lower case -> operator and how tightly it binds
_BINARY: dict[str, tuple[Operator, int]] = {
    **dict.fromkeys(("<->", "<=>", "↔", "⇔"), ("iff", 1)),
    **dict.fromkeys(("->", "=>", "→", "⇒"), ("implies", 2)),
    "or": ("or", 3),
    "nor": ("nor", 3),
    "and": ("and", 4),
    "nand": ("nand", 4),
    **dict.fromkeys(("|", "||", "∨"), ("or", 6)),
    **dict.fromkeys(("^", "xor", "⊕", "⊻"), ("xor", 7)),
    **dict.fromkeys(("&", "&&", "∧"), ("and", 8)),
}
#: operator -> operator that its node has, and whether that is negated
_MADE_OF: dict[Operator, tuple[Kind, bool]] = {
    "and": ("and", False),
    "or": ("or", False),
    "xor": ("xor", False),
    "nand": ("and", True),
    "nor": ("or", True),
    "iff": ("xor", True),
    "implies": ("or", False),  # of the NOT of the first operand
}
_PREFIX: dict[str, tuple[Operator, int]] = {
    "not": ("not", 5),
    **dict.fromkeys(("~", "!", "¬"), ("not", 9)),
}
_CONSTANTS = {"true": 1, "false": 0, "1": 1, "0": 0, "⊤": 1, "⊥": 0}
#: what people write for operators that have another name here
_HINTS = {
    **dict.fromkeys(("implies", "then", "if", "only"), "->"),
    **dict.fromkeys(("iff", "xnor", "equals", "equiv", "is", "==", "="), "<->"),
    **dict.fromkeys(("but", "also", "*", "·"), "and"),
    **dict.fromkeys(("unless", "+"), "or"),
    **dict.fromkeys(("either", "differs", "!=", "≠"), "xor"),
    **dict.fromkeys(("-", "no", "isnt"), "not"),
}
_TOKEN = re.compile(
    r"\s+|(?P<word>[^\W\d]\w*)|(?P<number>\d[\w.]*)|"
    r"(?P<symbol><->|<=>|->|=>|&&|\|\||==|!=|[^\w\s])"
)
#: characters of a long text that an error shows on either side of its place
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: its spelling in lower case, the text itself, and where it begins."""

    spelling: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree; `start` is its place in the text, `name` that of an input."""

    kind: Kind
    start: int
    children: tuple["Node", ...] = ()
    name: str = ""
    value: int = 0


def refuse(text: str, start: int, problem: str) -> ValueError:
    """Return the error for a place in a text."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    place = f"column {column}" if "\n" not in text else f"line {line}, column {column}"
    low, high = max(0, start - _SHOWN), start + _SHOWN
    shown = "..." * (low > 0) + text[low:high] + "..." * (high < len(text))
    return ValueError(
        f"Cannot read the proposition {shown!r}: at {place}, {problem}. It may consist of "
        f"{ALLOWED}."
    )


def read_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup is not None:
            piece = unicodedata.normalize("NFKC", match[0]) if match["word"] else match[0]
            yield Token(piece.lower(), piece, match.start())


def parse(text: str) -> Node:
    """Return the tree of a proposition, by Dijkstra's shunting yard."""
    parser = _Parser(text)
    for token in read_tokens(text):
        if parser.needs_operand:
            parser.read_operand(token)
        else:
            parser.read_operator(token)
    return parser.finish()


class _Parser:
    """Operators that wait for their right operand, and operands that wait for their operator."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.needs_operand = True
        self._operators: list[tuple[Operator, int, int]] = []  # with binding power and place
        self._operands: list[Node] = []

    def read_operand(self, token: Token) -> None:
        """Take a name, a constant, an opening parenthesis or a NOT."""
        spelling, start = token.spelling, token.start
        if spelling == "(":
            self._operators.append(("(", 0, start))
        elif spelling in _PREFIX:
            self._operators.append((*_PREFIX[spelling], start))
        else:
            self._operands.append(self._make_leaf(token))
            self.needs_operand = False

    def _make_leaf(self, token: Token) -> Node:
        spelling, text, start = token.spelling, token.text, token.start
        if spelling in _CONSTANTS:
            return Node("constant", start, value=_CONSTANTS[spelling])
        if spelling in _BINARY or spelling == ")":
            problem = f"{text!r} has nothing in front of it that it could join"
            raise refuse(self.text, start, problem)
        if text.isidentifier() and not keyword.iskeyword(text):
            return Node("name", start, name=text)
        hint = _HINTS.get(spelling)
        hint = "" if hint is None else f"; write {hint!r} between two names instead"
        kind = "is no truth value, which are 0 and 1" if text[0].isdigit() else "is not allowed"
        raise refuse(self.text, start, f"{text!r} {kind}{hint}")

    def read_operator(self, token: Token) -> None:
        """Take an operator between operands, or a closing parenthesis."""
        spelling, start = token.spelling, token.start
        if spelling == ")":
            self._close(start)
            return
        if spelling not in _BINARY:
            hint = _HINTS.get(spelling)
            problem = f"{token.text!r} is no operator, and one is needed between names"
            raise refuse(self.text, start, problem + (f"; write {hint!r}" if hint else ""))
        # Dijkstra's shunting yard: what waits and binds more tightly has both of its operands now.
        operator, power = _BINARY[spelling]
        while self._operators and self._should_reduce(operator, power, start):
            self._apply()
        self._operators.append((operator, power, start))
        self.needs_operand = True

    def _should_reduce(self, operator: Operator, power: int, start: int) -> bool:
        """Return whether the waiting operator binds more tightly than one that comes."""
        waiting, its_power, _ = self._operators[-1]
        if its_power != power:
            return its_power > power
        if waiting != operator or operator in ("nand", "nor"):
            problem = f"{waiting!r} and {operator!r} need parentheses to say which comes first"
            raise refuse(self.text, start, problem)
        return operator != "implies"  # a -> b -> c is a -> (b -> c)

    def _close(self, start: int) -> None:
        while self._operators and self._operators[-1][0] != "(":
            self._apply()
        if not self._operators:
            raise refuse(self.text, start, "unmatched ')'")
        self._operators.pop()

    def _apply(self) -> None:
        """Make a node of the waiting operator; all are made of NOT, AND, OR and XOR."""
        operator, _, start = self._operators.pop()
        if operator == "(":
            raise refuse(self.text, start, "'(' was never closed")
        right = self._operands.pop()
        if operator == "not":
            self._operands.append(Node("not", start, (right,)))
            return
        left = self._operands.pop()
        if operator == "implies":
            left = Node("not", start, (left,))
        kind, negated = _MADE_OF[operator]
        node = Node(kind, left.start, (left, right))
        self._operands.append(Node("not", start, (node,)) if negated else node)

    def finish(self) -> Node:
        """Return the tree of the whole text."""
        opened = [start for operator, _, start in self._operators if operator == "("]
        if opened:
            raise refuse(self.text, opened[0], "'(' was never closed")
        if self.needs_operand:
            problem = "a name or a truth value is missing"
            raise refuse(self.text, len(self.text), problem)
        while self._operators:
            self._apply()
        return self._operands[0]
