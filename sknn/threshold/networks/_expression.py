"""Propositions as text, and the circuits that compute them."""

from collections.abc import Callable, Generator, Iterator
from functools import partial

from sknn.threshold.networks._circuit import Circuit, Signal
from sknn.threshold.networks._grammar import Node, parse, refuse

#: a translation that asks for that of a part, and gets it
Step = Generator["Step", Signal, Signal]


class Proposition:
    """A proposition with the names in it.

    Parameters
    ----------
    text : str
        Proposition, see `sknn.threshold.networks._grammar`; it is parsed, never evaluated.

    Attributes
    ----------
    names : list of str
        Names in the order of their first appearance.

    Raises
    ------
    ValueError
        If the text is no proposition; it gives the column, counted from 1.

    Examples
    --------
    >>> from sknn.threshold.networks._expression import Proposition
    >>> Proposition("rain -> not (sun or rain)").names
    ['rain', 'sun']
    """

    def __init__(self, text: str):
        if not isinstance(text, str):
            raise ValueError(f"A proposition is text, got {text!r}.")
        self._text = text
        self._tree = parse(text)
        named = sorted((n for n in _walk(self._tree) if n.kind == "name"), key=lambda n: n.start)
        self._places = {node.name: node.start for node in reversed(named)}
        self.names = list(dict.fromkeys(node.name for node in named))

    def add_to(self, circuit: Circuit, names: list[str]) -> Signal:
        """Add the units of the proposition to a circuit whose inputs have these names.

        The signal that is returned is 0 or 1.
        """
        inputs = dict(zip(names, circuit.inputs, strict=True))
        for name in self.names:
            if name not in inputs:
                problem = f"name {name!r} is not among the inputs {names[:20]}"
                raise refuse(self._text, self._places[name], problem)
        return _Translator(circuit, inputs).translate(self._tree)


def _walk(tree: Node) -> Iterator[Node]:
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        yield node
        nodes.extend(node.children)


class _Translator:
    """Build a tree out of units; runs of one operator become one unit.

    OR is NOT AND of NOTs: the circuit makes one unit of a function and its NOT, and calls it OR.
    Methods are generators that yield what they wait for, so that no depth is too deep for Python.
    """

    def __init__(self, circuit: Circuit, inputs: dict[str, Signal]):
        self.circuit = circuit
        self.inputs = inputs

    def translate(self, tree: Node) -> Signal:
        """Return the signal of a tree, 0 or 1."""
        waiting = [self._translate(tree)]
        go_on: Callable[[], Step] = waiting[-1].__next__
        while True:
            try:
                waiting.append(go_on())
                go_on = waiting[-1].__next__
            except StopIteration as finished:
                waiting.pop()
                if not waiting:
                    return finished.value
                go_on = partial(waiting[-1].send, finished.value)

    def _translate(self, node: Node) -> Step:
        match node.kind:
            case "name":
                return self.inputs[node.name]
            case "constant":
                return Signal((), node.value)
            case "not":
                return ~(yield self._translate(node.children[0]))
            case "xor":
                return (yield self._translate_parity(node))
            case kind:  # NOT (a OR b) is NOT a AND NOT b
                signal = yield self._translate_conjunction(node, negated=kind == "or")
                return ~signal if kind == "or" else signal

    def _translate_parity(self, node: Node) -> Step:
        summands, waiting = [], [node]
        while waiting:
            node = waiting.pop()
            if node.kind == "not":  # not s is s ^ True
                summands.append(Signal((), 1))
                waiting.append(node.children[0])
            elif node.kind == "xor":
                waiting += reversed(node.children)
            else:
                summands.append((yield self._translate(node)))
        return self.circuit.add_parity(summands)

    def _translate_conjunction(self, node: Node, *, negated: bool) -> Step:
        operands, waiting = set(), [(node, negated)]
        while waiting:
            node, negated = waiting.pop()
            if node.kind == "not":
                waiting.append((node.children[0], not negated))
            elif node.kind == ("or" if negated else "and"):
                waiting += [(child, negated) for child in reversed(node.children)]
            else:
                signal = yield self._translate(node)
                operands.add(~signal if negated else signal)
        ordered = sorted(operands, key=lambda signal: (signal.weights, signal.constant))
        return self.circuit.at_least(len(ordered), ordered)
