"""Small circuits for Boolean functions that are given as tables.

A table is an array of bool of shape (2,) * n_inputs, so that an input is an axis.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from math import lcm

import numpy as np
from scipy.optimize import linprog

from sknn.threshold.networks._binary_tables import list_inputs
from sknn.threshold.networks._circuit import Circuit, Signal

#: of a linear program, which then takes a second
MAX_CONSTRAINTS = 3000


def add_function(circuit: Circuit, values: np.ndarray) -> Signal:
    """Add units for a function to a circuit, by whichever way needs the fewest; return its signal.

    The ways are: one unit, if one can do it; counting ones, if nothing but their number matters;
    a unit for each product of a sum of products; and cutting the inputs into two halves, of which
    each is read as a number. The last needs at most ``3 * 2**(n / 2)`` units for n inputs. `values`
    are bool of shape (2**n,), in the order of `list_inputs`.
    """
    table = values.reshape((2,) * len(circuit.inputs))
    directions = [_count_changes(table, axis) for axis in range(table.ndim)]
    used = [axis for axis, (up, down) in enumerate(directions) if up or down]
    if not used:
        return Signal((), int(values[0]))
    table = table[tuple(slice(None) if axis in used else 0 for axis in range(table.ndim))]
    # An input with which the output falls more often than it rises is read as its NOT. Where the
    # function then rises with each input, one unit may do, with weights that are not negative.
    falls = [directions[axis][1] > directions[axis][0] for axis in used]
    table = np.flip(table, tuple(axis for axis, fall in enumerate(falls) if fall))
    inputs = [
        ~circuit.inputs[axis] if fall else circuit.inputs[axis]
        for axis, fall in zip(used, falls, strict=True)
    ]
    if all(min(directions[axis]) == 0 for axis in used) and (unit := _find_separating_unit(table)):
        weights, threshold = unit
        return circuit.add_unit(circuit.combine(zip(weights, inputs, strict=True)), threshold)
    return _add_several_units(circuit, inputs, table)


def _count_changes(table: np.ndarray, axis: int) -> tuple[int, int]:
    """Return how often the output rises, and how often it falls, with an input."""
    low, high = table.take(0, axis), table.take(1, axis)
    return int(np.sum(high & ~low)), int(np.sum(low & ~high))


# ---------------------------------------------------------------- one unit


def _find_separating_unit(table: np.ndarray) -> tuple[list[int], int] | None:
    """Return the weights and threshold of a unit for a function that rises with all inputs.

    The least sum of weights with w·x >= θ for rows of output 1 and w·x <= θ - 1 for the others is
    a linear program [1]_. As the function rises, the lowest of the ones and the highest of the
    others will do. None means that there is no such unit, or that the program would be large.

    References
    ----------
    .. [1] Minnick, R. C. (1961). "Linear-input logic." IRE Transactions on Electronic Computers
       EC-10(1), 6-16. doi:10.1109/TEC.1961.5219146
    """
    # A one is among the lowest if no input of it can become 0, a zero among the highest if no input
    # of it can become 1, without a change of the output.
    lowest_ones, highest_zeros = table.copy(), ~table
    for axis in range(table.ndim):
        ones, zeros, here = (np.moveaxis(t, axis, 0) for t in (lowest_ones, highest_zeros, table))
        # A one stays if switching this input off makes it a zero; a zero if switching it on makes
        # it a one.
        ones[1] &= ~here[0]
        zeros[0] &= here[1]
    ones, zeros = np.argwhere(lowest_ones), np.argwhere(highest_zeros)
    n_inputs = table.ndim
    if len(ones) + len(zeros) > MAX_CONSTRAINTS:
        return None
    rows = np.vstack(
        [np.c_[-ones, np.ones(len(ones))], np.c_[zeros, -np.ones(len(zeros))]],
    )
    solution = linprog(
        np.r_[np.ones(n_inputs), 0.0],
        A_ub=rows,
        b_ub=np.r_[np.zeros(len(ones)), -np.ones(len(zeros))],
        bounds=[(0, None)] * n_inputs + [(None, None)],
    )
    if not solution.success:
        return None
    # A corner of the polytope has rational weights; their common denominator makes them whole.
    # Rounded weights may fail; the check below is on whole numbers, and exact.
    exact = [Fraction(x).limit_denominator(100) for x in solution.x[:-1]]
    scale = lcm(*(weight.denominator for weight in exact))
    weights = np.array([int(weight * scale) for weight in exact])
    threshold = (ones @ weights).min()
    return (weights.tolist(), int(threshold)) if (zeros @ weights).max() < threshold else None


# ---------------------------------------------------------------- several units


def _add_several_units(circuit: Circuit, inputs: list[Signal], table: np.ndarray) -> Signal:
    counted = _find_output_by_count(table)
    size_of_count = np.inf if counted is None else 1 + np.count_nonzero(np.diff(counted))
    cuts = [(_count_units_of_cut(table, kinds), kinds) for kinds in _number_columns(table)]
    # Products need a unit each and one that joins them; counting needs one for each change of the
    # output with the number of ones, and one to join. The smallest is built.
    size, kinds = min(cuts, key=lambda cut: cut[0])
    products = _sum_of_products(table, int(min(size - 1, size_of_count - 2)))
    if products is not None:
        terms = [
            circuit.at_least(len(product), [inputs[i] if x else ~inputs[i] for i, x in product])
            for product in products
        ]
        return circuit.at_least(1, terms)
    if counted is not None and size_of_count <= size:
        return _add_staircase(
            circuit, _make_steps(circuit, [(1, signal) for signal in inputs]), counted
        )
    return _cut_in_two(circuit, inputs, table, kinds)


def _make_steps(circuit: Circuit, terms: list[tuple[int, Signal]]) -> Callable[[int], Signal]:
    """Return a function from a threshold to the unit whether the weighted sum reaches it."""
    total = circuit.combine(terms)
    return cache(lambda threshold: circuit.add_unit(total, threshold))


def _add_staircase(circuit: Circuit, steps: Callable[[int], Signal], values: np.ndarray) -> Signal:
    """Return ``values[s]`` of a sum s, from a unit for each place where the values change."""
    # values[s] = values[0] + Σ_k (values[k] - values[k - 1]) [s >= k]: Siu, Roychowdhury, Kailath,
    # "Depth-size tradeoffs for neural computation", IEEE Transactions on Computers 40(12), 1991.
    changes = np.diff(values.astype(int))
    terms = [(int(changes[k]), steps(int(k) + 1)) for k in np.flatnonzero(changes)]
    return circuit.combine(terms, int(values[0]))


def _find_output_by_count(table: np.ndarray) -> np.ndarray | None:
    """Return the output for each number of ones, or None if more than the number matters."""
    counts, values = list_inputs(table.ndim).sum(axis=1), table.ravel()
    # Among inputs with s ones, none or all must have the output 1.
    with_one = np.bincount(counts, values)
    of_all = np.bincount(counts)
    return with_one > 0 if np.all((with_one == 0) | (with_one == of_all)) else None


def _sum_of_products(table: np.ndarray, most: int) -> list[tuple] | None:
    """Return products of inputs or their NOTs whose sum is the function; none can be left out.

    A product is a tuple of pairs of input and value [1]_. None means more than `most` products.

    References
    ----------
    .. [1] Morreale, E. (1970). "Recursive operators for prime implicant and irredundant normal
       form determination." IEEE Transactions on Computers C-19(6), 504-509.
    """
    n_found = 0

    def cover(needed: np.ndarray, allowed: np.ndarray, axis: int) -> tuple[list, np.ndarray]:
        nonlocal n_found
        # Between what must be covered and what may be, any function will do: where nothing is
        # needed the empty sum, and where all is allowed the empty product.
        if not needed.any() or n_found > most:
            return [], np.zeros_like(needed)
        if allowed.all():
            n_found += 1
            return [()], np.ones_like(needed)
        needs, allows = needed.reshape(2, -1), allowed.reshape(2, -1)
        products, covered = [], []
        # First what one value of the input needs and the other forbids, where products must name
        # the input; what then remains is allowed for both values, and need not name it.
        for x in (0, 1):
            own, where = cover(needs[x] & ~allows[1 - x], allows[x], axis + 1)
            products += [((axis, x), *product) for product in own]
            covered.append(where)
        rest = (needs[0] & ~covered[0]) | (needs[1] & ~covered[1])
        both, where = cover(rest, allows[0] & allows[1], axis + 1)
        return products + both, np.concatenate([c | where for c in covered])

    products, _ = cover(table.ravel(), table.ravel(), 0)
    return None if n_found > most else products


def _number_columns(table: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a number for each column of a table cut after 0, 1, 2, ... inputs."""
    # Equal columns have equal numbers, columns of zeros 0. A column has the halves of two columns
    # of the cut before: those are numbered already, so that numbering pairs is enough.
    kinds = table.ravel().astype(int)
    yield kinds
    while len(kinds) > 1:
        upper, lower = kinds.reshape(2, -1)
        # A pair of numbers below n as one number, n times the first plus the second; 0 stays the
        # pair of two columns of zeros.
        pairs = upper * (kinds.max() + 1) + lower
        kinds = np.unique(np.r_[0, pairs], return_inverse=True)[1][1:]
        yield kinds


def _count_units_of_cut(table: np.ndarray, kinds: np.ndarray) -> int:
    """Return how many units `_cut_in_two` makes, apart from shared ones."""
    matrix = table.reshape(-1, len(kinds))
    # A step for each change from row to row and from column to column, a unit for each kind of
    # column but zeros, and one that joins them.
    rows_change = np.any(matrix[1:] != matrix[:-1], axis=1)
    return int(rows_change.sum() + np.count_nonzero(np.diff(kinds)) + kinds.max() + 1)


def _cut_in_two(
    circuit: Circuit, inputs: list[Signal], table: np.ndarray, kinds: np.ndarray
) -> Signal:
    """Read the first inputs as the number of a row of a matrix, the others as that of a column."""
    # Both numbers get a staircase. A second layer has a unit for each kind of column: it fires if
    # the number is that of such a column, and the column is 1 in this row.
    matrix = table.reshape(-1, len(kinds))
    n_rows = len(matrix).bit_length() - 1
    row, column = (
        _make_steps(circuit, [(2 ** (len(part) - 1 - i), signal) for i, signal in enumerate(part)])
        for part in (inputs[:n_rows], inputs[n_rows:])
    )
    found = []
    for kind in range(1, kinds.max() + 1):
        is_one = _add_staircase(circuit, row, matrix[:, np.argmax(kinds == kind)])
        is_there = _add_staircase(circuit, column, kinds == kind)
        found.append(circuit.at_least(2, [is_one, is_there]))
    return circuit.at_least(1, found)
