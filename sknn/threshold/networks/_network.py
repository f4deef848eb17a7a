"""Networks of threshold units: they compute any proposition, and learn nothing."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from sknn._saved import saved
from sknn.activations import heaviside
from sknn.threshold._unit import ThresholdUnit, format_unit, list_units
from sknn.threshold.networks._binary_tables import check_binary, complete_table, make_default_names
from sknn.threshold.networks._circuit import Circuit, Signal
from sknn.threshold.networks._expression import Proposition
from sknn.threshold.networks._synthesis import add_function

#: numbers in the activations of the samples that are computed at once
_CHUNK = 2**22
#: nodes of the largest network that is shown unit by unit
_SHOWN = 30


@saved
class ThresholdNetwork:
    """Layers of McCulloch and Pitts' neurons, with a name for every node.

    Inputs and outputs are 0 or 1. Each unit reads all nodes of the layer before it. Write one down
    unit by unit, or have one made for a proposition or a truth table.

    Parameters
    ----------
    layers : sequence of sequences of ThresholdUnit
        Units with the step ``'heaviside'``, the output layer last.
    names : sequence of str or None, default=None
        Names of the inputs; None means x1, x2 and so on.
    unit_names : sequence of str or None, default=None
        Names of all units, layer by layer; None means o1, o2 and so on.

    Attributes
    ----------
    layers : list of lists of ThresholdUnit
        The units.
    coefs_ : list of ndarray of shape (n_before, n_units)
        Weights of each layer.
    intercepts_ : list of ndarray of shape (n_units,)
        Minus the thresholds of each layer.
    n_features_in_ : int
        Number of inputs.
    feature_names_in_ : ndarray of str of shape (n_features_in_,)
        Names of the inputs.
    unit_names : list of lists of str
        Names of the units of each layer.
    output_names : list of str
        Names of the units of the last layer.

    Raises
    ------
    TypeError
        If layers are no lists of units.
    ValueError
        If a layer is empty, a unit has another number of weights than there are nodes in the layer
        before it or has another step, or names are not one for each node, all different.

    See Also
    --------
    truth_table : All inputs and outputs.
    forward_pass : The weighted sums as well, here and in deep networks.

    References
    ----------
    .. [1] McCulloch, W. S., & Pitts, W. (1943). "A logical calculus of the ideas immanent in
       nervous activity." Bulletin of Mathematical Biophysics 5, 115-133.
       doi:10.1007/bf02478259
    .. [2] Minsky, M., & Papert, S. (1969). "Perceptrons: an introduction to computational
       geometry." MIT Press.

    Examples
    --------
    No single unit computes XOR, and two layers do [2]_:

    >>> from sknn.threshold import AND, OR, ThresholdNetwork, ThresholdUnit, truth_table
    >>> network = ThresholdNetwork([[AND(), OR()], [ThresholdUnit([-1, 1], threshold=1)]])
    >>> network.predict([[0, 1], [1, 1]])
    array([1, 0])

    The same network is made from the proposition:

    >>> xor = ThresholdNetwork.from_expression("(a or b) and not (a and b)")
    >>> xor
    ThresholdNetwork 2 -> 2 -> 1
      o1 = [a + b >= 2]
      o2 = [a + b >= 1]
      o3 = [-o1 + o2 >= 1]
    >>> print(truth_table(xor, hidden=True).to_string(index=False))
     a  b  o1  o2  o3
     0  0   0   0   0
     0  1   0   1   1
     1  0   0   1   1
     1  1   1   1   0
    """

    #: of all layers; with coefs_ and intercepts_ this is how `forward_pass` reads a network
    activation = out_activation_ = "heaviside"

    def __init__(
        self,
        layers: Sequence[Sequence[ThresholdUnit]],
        names: Sequence[str] | None = None,
        unit_names: Sequence[str] | None = None,
    ):
        self.layers = list_units(layers)
        _check_wiring(self.layers)
        self.coefs_ = [np.array([unit.weights for unit in layer]).T for layer in self.layers]
        self.intercepts_ = [np.array([unit.intercept for unit in layer]) for layer in self.layers]
        self.n_features_in_ = len(self.coefs_[0])
        n_units = sum(map(len, self.layers))
        names = make_default_names(self.n_features_in_) if names is None else list(names)
        unit_names = _make_free_names(n_units, names) if unit_names is None else list(unit_names)
        _check_names(names, self.n_features_in_, unit_names, n_units)
        self.feature_names_in_ = np.array(names, dtype=object)
        rest = iter(unit_names)
        self.unit_names = [[next(rest) for _ in layer] for layer in self.layers]
        self.output_names = self.unit_names[-1]

    @classmethod
    def from_expression(
        cls, expression: str | Mapping[str, str], names: Sequence[str] | None = None
    ) -> "ThresholdNetwork":
        """Make a network for a proposition, or for several of the same names.

        Equal subexpressions share their unit, and so do a function and its NOT; a run of ``and``
        or ``or`` is one unit. No hidden layer has more units than one per name, per run of ``and``
        or ``or``, and per operand of a run of ``^``; and there are at most two layers for each
        level of nesting.

        Parameters
        ----------
        expression : str or mapping of str to str
            Names, ``and``, ``or``, ``not``, ``xor``, ``nand``, ``nor``, ``->`` (implies), ``<->``
            (equivalent), the symbols ``& | ^ ~ !`` and ``∧ ∨ ⊕ ¬ → ↔``, parentheses, ``true``,
            ``false``, 1 and 0; words in any case. Python's precedence holds: ``not a ^ b`` is
            ``not (a ^ b)`` and ``~a & b`` is ``(~a) & b``; ``xor`` is ``^``, and ``->``, to the
            right, and ``<->`` bind more loosely than all. A mapping is from names of outputs to
            their propositions.
        names : sequence of str or None, default=None
            Names of the inputs in their order, which may be more than are used. None means the
            names in the text in the order of their first appearance.

        Returns
        -------
        ThresholdNetwork

        Raises
        ------
        ValueError
            If there is anything else in the text, with its column; if it has a name that is not
            in `names`, or there are no names, or names are not all different; or if the network
            would have more than 131,072 units or 33,554,432 weights in a layer.

        Examples
        --------
        >>> from sknn.threshold import ThresholdNetwork
        >>> ThresholdNetwork.from_expression({"sum": "a ^ b", "carry": "a and b"})
        ThresholdNetwork 2 -> 2 -> 2
          o1 = [a + b >= 2]
          o2 = [a + b >= 1]
          sum = [-o1 + o2 >= 1]
          carry = [o1 >= 1]
        """
        is_mapping = isinstance(expression, Mapping)
        texts = list(expression.values()) if isinstance(expression, Mapping) else [expression]
        propositions = [Proposition(text) for text in texts]
        if names is None:
            names = list(dict.fromkeys(name for p in propositions for name in p.names))
        names = list(names)
        if not names or not texts:
            raise ValueError(
                f"A network needs a proposition and an input, got {expression!r}. Inputs that are "
                "not in the text can be named, as in names=['a']."
            )
        circuit = Circuit(len(names))
        signals = [proposition.add_to(circuit, names) for proposition in propositions]
        return cls._build(circuit, signals, names, list(expression) if is_mapping else None)

    @classmethod
    def from_truth_table(
        cls,
        inputs: ArrayLike,
        outputs: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        default: int | None = None,
    ) -> "ThresholdNetwork":
        """Make a small network for any Boolean function, given as a table.

        For n inputs there are at most ``3 * 2**(n / 2)`` units for each output, in at most three
        layers. Far fewer do for many functions: one unit if there is one that computes the
        function and the program that looks for it is not large; n hidden units at most if
        nothing but the number of ones matters, as for parity; or one for each product of a sum
        of products. Outputs share equal units.

        Parameters
        ----------
        inputs : {array-like, sparse matrix, dataframe} of shape (n_rows, n_inputs)
            Zeros and ones, 20 inputs at most. A row may come several times.
        outputs : {array-like, series, dataframe} of shape (n_rows,) or (n_rows, n_outputs)
            Zeros and ones.
        names : sequence of str or None, default=None
            Names of the inputs. None means the columns of a data frame, or x1, x2 and so on.
        output_names : sequence of str or None, default=None
            Names of the outputs. None means those of the data, or the numbers after the hidden
            units.
        default : {0, 1} or None, default=None
            Output for rows that are not in the table. None means that none may be missing.

        Returns
        -------
        ThresholdNetwork

        Raises
        ------
        ValueError
            If there are more than 20 inputs, values other than 0 and 1, rows that are missing or
            contradict each other (it names them), or inputs and outputs do not fit together.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn.threshold import ThresholdNetwork
        >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> ThresholdNetwork.from_truth_table(X, [1, 1, 0, 1], names=["a", "b"])
        ThresholdNetwork 2 -> 1
          o1 = [-a + b >= 0]
        >>> first_alone = ThresholdNetwork.from_truth_table(np.eye(20)[:1], [1], default=0)
        >>> first_alone.predict(np.eye(20)[:3])
        array([1, 0, 0])
        """
        names = _get_names(inputs, "columns") if names is None else list(names)
        if names is None:
            names = make_default_names(np.shape(inputs)[-1] if np.ndim(inputs) else 0)
        if output_names is None:
            output_names = _get_names(outputs, "columns", "name")
        table = complete_table(inputs, outputs, names, default)
        if output_names is not None:
            _check_number("output names", list(output_names), table.shape[1])
        circuit = Circuit(len(names))
        signals = [add_function(circuit, column) for column in table.T]
        return cls._build(circuit, signals, names, output_names)

    @classmethod
    def _build(
        cls,
        circuit: Circuit,
        signals: list[Signal],
        names: list[str],
        output_names: Sequence[str] | None,
    ) -> "ThresholdNetwork":
        layers = [
            [ThresholdUnit(weights, t) for weights, t in zip(coef.T, thresholds, strict=True)]
            for coef, thresholds in circuit.make_layers(signals)
        ]
        unit_names = None
        if output_names is not None:
            hidden = _make_free_names(sum(map(len, layers[:-1])), [*names, *output_names])
            unit_names = [*hidden, *output_names]
        return cls(layers, names, unit_names)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the outputs for each sample; calling the network does the same.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Zeros and ones. Columns of a data frame are found by their names.

        Returns
        -------
        ndarray of int of shape (n_samples,) or (n_samples, n_outputs)
            Zeros and ones.

        Raises
        ------
        ValueError
            If X has other columns, or a value other than 0 and 1.
        """
        rows = check_binary(X, self.feature_names_in_.tolist())
        outputs = np.empty((len(rows), len(self.output_names)), dtype=int)
        for part, values in self._compute_parts(rows):
            outputs[part] = values[-1]
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    __call__ = predict

    def activations(self, X: ArrayLike) -> dict[str, np.ndarray]:
        """Return the output of every node, by its name.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Zeros and ones. Columns of a data frame are found by their names.

        Returns
        -------
        dict of str to ndarray of int of shape (n_samples,)
            Inputs first, then the units layer by layer.

        Raises
        ------
        ValueError
            If X has other columns, or a value other than 0 and 1.

        Examples
        --------
        >>> from sknn.threshold import ThresholdNetwork
        >>> ThresholdNetwork.from_expression("a ^ b").activations([[1, 0]])
        {'a': array([1]), 'b': array([0]), 'o1': array([0]), 'o2': array([1]), 'o3': array([1])}
        """
        rows = check_binary(X, self.feature_names_in_.tolist())
        nodes = [*self.feature_names_in_, *(n for names in self.unit_names for n in names)]
        outputs = np.empty((len(rows), len(nodes)), dtype=int)
        for part, values in self._compute_parts(rows):
            outputs[part] = np.hstack(values)
        return dict(zip(nodes, outputs.T, strict=True))

    def _compute_parts(self, rows: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
        """Yield the outputs of all layers for some samples at a time, so that memory is bounded."""
        size = max(1, _CHUNK // max(sum(coef.shape) for coef in self.coefs_))
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            values = [rows[part].astype(float)]
            for coef, intercept in zip(self.coefs_, self.intercepts_, strict=True):
                values.append(heaviside(values[-1] @ coef + intercept))
            yield part, values

    def __repr__(self) -> str:
        sizes = [self.n_features_in_, *map(len, self.layers)]
        lines = ["ThresholdNetwork " + " -> ".join(map(str, sizes))]
        before = list(self.feature_names_in_)
        if sum(sizes) <= _SHOWN:
            for layer, names in zip(self.layers, self.unit_names, strict=True):
                lines += [
                    f"  {n} = {format_unit(u, before)}" for n, u in zip(names, layer, strict=True)
                ]
                before = names
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the units as a table, for notebooks."""
        title, *_ = repr(self).split("\n")
        rows, before = [], list(self.feature_names_in_)
        for number, (layer, names) in enumerate(zip(self.layers, self.unit_names, strict=True), 1):
            place = "output" if number == len(self.layers) else f"hidden {number}"
            for unit, name in zip(layer[:_SHOWN], names, strict=False):
                formula = format_unit(unit, before).strip("[]") if len(before) <= _SHOWN else "..."
                cells = (place, name, formula.replace(">=", "≥"))
                rows.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
            if len(layer) > _SHOWN:
                rows.append(f"<td>{place}</td><td>{len(layer) - _SHOWN} more units</td><td></td>")
            before = names
        head = "<th>layer</th><th>unit</th><th>fires where</th>"
        body = "".join(f"<tr>{row}</tr>" for row in [head, *rows])
        return f"<table><caption>{escape(title)}</caption>{body}</table>"


def _make_free_names(n_units: int, taken: Sequence[str]) -> list[str]:
    """Return o1, o2 and so on, without names that are taken."""
    numbered, used = (f"o{i}" for i in range(1, n_units + len(taken) + 1)), set(taken)
    return [name for name in numbered if name not in used][:n_units]


def _get_names(data: ArrayLike, *attributes: str) -> list[str] | None:
    """Return the columns of a data frame or the name of a series, if it has some."""
    for attribute in attributes:
        found = getattr(data, attribute, None)
        if found is not None and str(found):  # polars calls a series without a name ""
            return [str(found)] if attribute == "name" else [str(name) for name in found]
    return None


def _check_wiring(layers: list[list[ThresholdUnit]]) -> None:
    if not layers or not all(layers):
        raise ValueError(
            f"A network needs a layer, and each layer a unit; got {[len(x) for x in layers]} units."
        )
    n_before, before = layers[0][0].n_features_in_, "inputs, as its first unit has weights"
    for i, layer in enumerate(layers, 1):
        for j, unit in enumerate(layer, 1):
            if unit.n_features_in_ != n_before:
                raise ValueError(
                    f"Unit {j} of layer {i} has {unit.n_features_in_} weights, but there are "
                    f"{n_before} {before}. Give it a weight for each, 0 if it is not to matter."
                )
            if unit.step != "heaviside":
                raise ValueError(
                    f"Unit {j} of layer {i} has step={unit.step!r}. Outputs in a network are 0 or "
                    "1: use step='heaviside'."
                )
        n_before, before = len(layer), "nodes in the layer before"


def _check_names(names: list, n_inputs: int, unit_names: list, n_units: int) -> None:
    _check_number("names", names, n_inputs)
    _check_number("unit names", unit_names, n_units)
    seen: set = set()
    for name in (*names, *unit_names):
        if name in seen:
            raise ValueError(f"All nodes need names of their own, but {name!r} is there twice.")
        seen.add(name)


def _check_number(what: str, given: list, expected: int) -> None:
    if len(given) != expected:
        raise ValueError(f"Expected {expected} {what}, got {len(given)}: {given}.")
