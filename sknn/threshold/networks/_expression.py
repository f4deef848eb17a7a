"""Propositions as text: parsed by Python's own grammar, checked, never evaluated."""

import ast
import re
from collections.abc import Iterator

from sknn.threshold.networks._circuit import Circuit, Signal

ALLOWED = "names, and, or, not, ^ (exclusive or), parentheses, True and False"
_TOO_DEEP = "The proposition is nested too deeply for Python to read it. Use fewer levels."


class Proposition:
    """A proposition with the names in it.

    Python's precedence holds: ``^`` binds tighter than ``not``, that tighter than ``and``, and
    that tighter than ``or``; so ``not a ^ b`` is ``not (a ^ b)``.

    Parameters
    ----------
    text : str
        Names, ``and``, ``or``, ``not``, ``^``, parentheses, ``True``, ``False``.

    Attributes
    ----------
    names : list of str
        Names in the order of their first appearance.

    Raises
    ------
    ValueError
        If there is anything else in the text, or it is not a whole expression; it gives the
        column, counted from 1.

    Examples
    --------
    >>> from sknn.threshold.networks._expression import Proposition
    >>> Proposition("rain and not (sun or rain)").names
    ['rain', 'sun']
    """

    def __init__(self, text: str):
        if not isinstance(text, str):
            raise ValueError(f"A proposition is text, got {text!r}.")
        self._text = text.lstrip()  # Python would take leading spaces for a block
        self._n_stripped = len(text) - len(self._text)
        try:
            self._body = ast.parse(self._text, mode="eval").body
            found = list(self._checked(self._body))
        except SyntaxError as error:
            raise self._refusal(error.lineno, error.offset, error.msg) from None
        except (RecursionError, MemoryError):
            raise ValueError(_TOO_DEEP) from None
        found.sort(key=lambda node: (node.lineno, node.col_offset))
        self.names = list(dict.fromkeys(node.id for node in found))

    def signal(self, circuit: Circuit, names: list[str]) -> Signal:
        """Return the proposition as a signal of a circuit.

        Parameters
        ----------
        circuit : Circuit
            Gets the units.
        names : list of str
            Names of its inputs.

        Returns
        -------
        Signal
            Of 0 or 1.

        Raises
        ------
        ValueError
            If the proposition has a name that is not in `names`.
        """
        if unknown := [name for name in self.names if name not in names]:
            node = next(n for n in ast.walk(self._body) if getattr(n, "id", None) == unknown[0])
            problem = f"name {unknown[0]!r} is not among the inputs {names}"
            raise self._refusal(node.lineno, self._column(node), problem)
        translator = _Translator(circuit, dict(zip(names, circuit.inputs, strict=True)))
        try:
            return translator.signal(self._body)
        except RecursionError:
            raise ValueError(_TOO_DEEP) from None

    def _checked(self, node: ast.expr) -> Iterator[ast.Name]:
        match node:
            case ast.Name():
                yield node
            case ast.Constant(value=True | False):
                pass
            case ast.UnaryOp(op=ast.Not()):
                yield from self._checked(node.operand)
            case ast.BinOp(op=ast.BitXor()):
                yield from self._checked(node.left)
                yield from self._checked(node.right)
            case ast.BoolOp():
                for value in node.values:
                    yield from self._checked(value)
            case _:
                part = ast.get_source_segment(self._text, node)
                raise self._refusal(node.lineno, self._column(node), f"{part!r} is not allowed")

    def _column(self, node: ast.expr) -> int:
        line = re.split("\r\n|\r|\n", self._text)[node.lineno - 1]
        return len(line.encode()[: node.col_offset].decode()) + 1  # ast counts bytes

    def _refusal(self, line: int | None, column: int | None, problem: str) -> ValueError:
        column = column or len(self._text) + 1  # 0 is the end
        column += self._n_stripped if line == 1 else 0
        place = f"column {column}" if line in (0, 1, None) else f"line {line}, column {column}"
        return ValueError(
            f"Cannot read the proposition {self._text!r}: at {place}, {problem}. It may consist of "
            f"{ALLOWED}."
        )


class _Translator:
    """Build a checked expression out of units; runs of one operator become one unit.

    OR is NOT AND of NOTs: the circuit makes one unit of a function and its NOT, and calls it OR.
    """

    def __init__(self, circuit: Circuit, inputs: dict[str, Signal]):
        self.circuit = circuit
        self.inputs = inputs

    def signal(self, node: ast.expr) -> Signal:
        match node:
            case ast.Name():
                return self.inputs[node.id]
            case ast.Constant():
                return Signal((), int(node.value))
            case ast.UnaryOp():
                return ~self.signal(node.operand)
            case ast.BinOp():
                return self.circuit.parity(self._summands(node))
            case ast.BoolOp(op=ast.And()):
                return self._all(node, negated=False)
            case _:
                return ~self._all(node, negated=True)

    def _all(self, node: ast.expr, *, negated: bool) -> Signal:
        operands = set(self._conjuncts(node, negated))
        ordered = sorted(operands, key=lambda signal: (signal.weights, signal.constant))
        return self.circuit.at_least(len(ordered), ordered)

    def _conjuncts(self, node: ast.expr, negated: bool) -> Iterator[Signal]:
        match node:
            case ast.UnaryOp():
                yield from self._conjuncts(node.operand, not negated)
            case ast.BoolOp() if isinstance(node.op, ast.Or) == negated:
                for value in node.values:
                    yield from self._conjuncts(value, negated)
            case _:
                yield ~self.signal(node) if negated else self.signal(node)

    def _summands(self, node: ast.expr) -> Iterator[Signal]:
        match node:
            case ast.BinOp():
                yield from self._summands(node.left)
                yield from self._summands(node.right)
            case ast.UnaryOp():
                yield Signal((), 1)  # not s is s ^ True
                yield from self._summands(node.operand)
            case _:
                yield self.signal(node)
