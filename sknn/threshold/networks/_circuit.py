"""Networks of threshold units under construction: signals are added up, and units fire."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

#: weights of a network, and units, which are counted while a circuit is built
MAX_WEIGHTS, MAX_UNITS = 2**25, 2**17


@dataclass(frozen=True)
class Signal:
    """A constant plus whole-number multiples of nodes of one layer.

    Mostly the sum is 0 or 1 for every input, as a truth value. NOT needs no unit then: it is
    1 minus the signal.

    Attributes
    ----------
    weights : tuple of (int, int)
        Pairs of node and weight, sorted.
    constant : int
    """

    weights: tuple[tuple[int, int], ...]
    constant: int = 0

    def __invert__(self) -> "Signal":
        return Signal(tuple((node, -weight) for node, weight in self.weights), 1 - self.constant)


class Circuit:
    """Nodes are the inputs, then units; a unit is made once, and reads the layer before it.

    Parameters
    ----------
    n_inputs : int
        Number of inputs.

    Examples
    --------
    >>> from sknn.threshold.networks._circuit import Circuit
    >>> circuit = Circuit(2)
    >>> circuit.make_layers([circuit.add_parity(circuit.inputs)])
    [(array([[1., 1.],
             [1., 1.]]), array([2., 1.])), (array([[-1.],
             [ 1.]]), array([1.]))]
    """

    def __init__(self, n_inputs: int):
        self.inputs = [Signal(((node, 1),)) for node in range(n_inputs)]
        self._levels = [0] * n_inputs
        self._definitions: list = [None] * n_inputs  # node -> (weights, threshold)
        self._nodes: dict[tuple, int] = {}  # the reverse
        self._passed: dict[Signal, list[Signal]] = {}

    def combine(self, terms: Iterable[tuple[int, Signal]], constant: int = 0) -> Signal:
        """Return a weighted sum of signals of 0 or 1, passed on to the layer of the last one."""
        terms = list(terms)
        level = max((self._get_level(signal) for _, signal in terms), default=0)
        total: Counter = Counter()
        for factor, signal in terms:
            passed = self._pass_on(signal, level)
            constant += factor * passed.constant
            for node, weight in passed.weights:
                total[node] += factor * weight
        return Signal(tuple(sorted((n, w) for n, w in total.items() if w)), constant)

    def add_unit(self, total: Signal, threshold: int) -> Signal:
        """Return whether a sum reaches a threshold: a new unit, unless something there does."""
        if not total.weights:
            return Signal((), int(total.constant >= threshold))
        # c + g·s >= θ, for a sum s of whole numbers, is s >= ceil((θ - c) / g).
        divisor = gcd(*(weight for _, weight in total.weights))
        threshold = -((total.constant - threshold) // divisor)
        weights = tuple((node, weight // divisor) for node, weight in total.weights)
        lowest = sum(weight for _, weight in weights if weight < 0)
        highest = sum(weight for _, weight in weights if weight > 0)
        # A threshold that every sum reaches, or none, is a constant, and takes no unit.
        if threshold <= lowest or threshold > highest:
            return Signal((), int(threshold <= lowest))
        if len(weights) == 1:  # x >= 1 is x itself, and -x >= 0 is 1 - x
            return Signal(weights, 1 - threshold)
        return self._make_unit(weights, threshold)

    def at_least(self, k: int, signals: Iterable[Signal]) -> Signal:
        """Return whether at least k of the signals are 1.

        Parameters
        ----------
        k : int
        signals : iterable of Signal
            Signals that are 0 or 1.

        Returns
        -------
        Signal
            Of 0 or 1.
        """
        return self.add_unit(self.combine((1, signal) for signal in signals), k)

    def add_parity(self, signals: Iterable[Signal]) -> Signal:
        """Return whether an odd number of the signals are 1.

        Parameters
        ----------
        signals : iterable of Signal
            Signals that are 0 or 1.

        Returns
        -------
        Signal
            Of 0 or 1: a sum of a unit for each signal, in pairs of opposite weights.
        """
        counts: Counter[Signal] = Counter()
        n_not = 0
        for signal in signals:
            is_not = signal.constant % 2  # ~s and s have constants c and 1 - c
            counts[~signal if is_not else signal] += 1
            n_not += is_not
        odd = [signal for signal, n in counts.items() if n % 2 and signal.weights]
        _check_number("weights", len(odd) ** 2, MAX_WEIGHTS)
        # Parity of a sum s is Σ (-1)^(k+1) [s >= k] over k = 1 to n: each further step up changes
        # it. Two equal signals cancel, and a NOT turns the result, so that both are taken out
        # first.
        # at least 1, but not at least 2 unless at least 3, but not ...
        total = self.combine((1, signal) for signal in odd)
        result = self.combine(
            (1 if k % 2 else -1, self.add_unit(total, k)) for k in range(1, len(odd) + 1)
        )
        return ~result if n_not % 2 else result

    def make_layers(self, outputs: list[Signal]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return weights (n_before, n_units) and thresholds (n_units,) of each layer, output last.

        Units that the outputs do not need are left out. The highest threshold of a hidden layer
        comes first.
        """
        depth = max(1, *(self._get_level(s) + (not self._is_unit(s)) for s in outputs))
        units = [self._make_output(signal, depth) for signal in outputs]
        layers = []
        for _ in range(depth - 1):
            needed = {node for weights, _ in units for node, _ in weights}
            # From the outputs down: the units that a layer reads are the next layer.
            before = sorted(needed, key=lambda node: (-self._definitions[node][1], node))
            layers.append(_make_arrays(units, before))
            units = [self._definitions[node] for node in before]
        layers.append(_make_arrays(units, range(len(self.inputs))))
        return layers[::-1]

    def _get_level(self, signal: Signal) -> int:
        return self._levels[signal.weights[0][0]] if signal.weights else 0

    def _is_unit(self, signal: Signal) -> bool:
        return len(signal.weights) == 1 and self._get_level(signal) > 0

    def _pass_on(self, signal: Signal, level: int) -> Signal:
        n_layers = level - self._get_level(signal)
        if n_layers <= 0 or not signal.weights:
            return signal
        passed = self._passed.setdefault(signal, [signal])  # after 0, 1, 2, ... layers
        # A signal w·x + c of 0 or 1 is 1 where w·x >= 1 - c: a unit that hands it on a layer.
        while len(passed) <= n_layers:
            passed.append(self._make_unit(passed[-1].weights, 1 - passed[-1].constant))
        return passed[n_layers]

    def _make_unit(self, weights: tuple, threshold: int) -> Signal:
        total = sum(weight for _, weight in weights)
        # NOT (w·x >= θ) is w·x <= θ - 1 for whole numbers, and so -w·x >= 1 - θ.
        if total < 0 or (total == 0 and weights[0][1] < 0):  # of a unit and its NOT one is made
            return ~self._make_unit(tuple((n, -w) for n, w in weights), 1 - threshold)
        unit = (weights, threshold)
        node = self._nodes.setdefault(unit, len(self._levels))
        if node == len(self._levels):
            _check_number("units", node - len(self.inputs) + 1, MAX_UNITS)
            self._definitions.append(unit)
            self._levels.append(1 + self._levels[weights[0][0]])
        return Signal(((node, 1),))

    def _make_output(self, signal: Signal, depth: int) -> tuple[tuple, int]:
        if self._is_unit(signal) and self._get_level(signal) == depth:
            weights, threshold = self._definitions[signal.weights[0][0]]
            if signal.constant == 0:
                return weights, threshold
            return tuple((node, -weight) for node, weight in weights), 1 - threshold
        signal = self._pass_on(signal, depth - 1)
        return signal.weights, 1 - signal.constant


def _check_number(what: str, n: int, most: int) -> None:
    if n > most:
        raise ValueError(
            f"The network would have {n:,} {what} or more, but at most {most:,} are supported. "
            "Give a shorter proposition, or one that is nested less deeply."
        )


def _make_arrays(units: list, before: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    place = {node: i for i, node in enumerate(before)}
    _check_number("weights", len(place) * len(units), MAX_WEIGHTS)
    coef = np.zeros((len(place), len(units)))
    for column, (weights, _) in enumerate(units):
        for node, weight in weights:
            coef[place[node], column] = weight
    return coef, np.array([float(threshold) for _, threshold in units])
