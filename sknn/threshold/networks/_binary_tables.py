"""Tables of zeros and ones: checked, listed and numbered."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from sknn._targets import SPARSE
from sknn._validation import MatrixLike

#: a full table of as many inputs has a million rows
MAX_INPUTS = 20


def make_default_names(n_inputs: int) -> list[str]:
    """Return x1, x2 and so on."""
    return [f"x{i + 1}" for i in range(n_inputs)]


def list_inputs(n_inputs: int) -> np.ndarray:
    """Return all rows of zeros and ones, of shape (2**n_inputs, n_inputs), counting upwards.

    The last input changes fastest. There are at most `MAX_INPUTS`.
    """
    if n_inputs > MAX_INPUTS:
        raise ValueError(
            f"A truth table has at most {MAX_INPUTS} inputs, which is {2**MAX_INPUTS} rows; got "
            f"{n_inputs} inputs."
        )
    rows = np.arange(2**n_inputs)
    table = np.empty((len(rows), n_inputs), dtype=int)
    for column in range(n_inputs):  # one by one, so that no second table is needed
        table[:, column] = (rows >> (n_inputs - 1 - column)) & 1
    return table


def number_inputs(rows: np.ndarray) -> np.ndarray:
    """Return the places (n_samples,) of rows (n_samples, n_inputs) in `list_inputs`."""
    return rows @ (1 << np.arange(rows.shape[1])[::-1])


def check_binary(X: MatrixLike, names: Sequence[str], what: str = "input") -> np.ndarray:
    """Check that a table holds zeros and ones and has a column for each name.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
        Columns of a data frame are found by their names, whatever their order.
    names : sequence of str
        Names of the columns.
    what : str, default='input'
        Meaning of a column, for the error.

    Returns
    -------
    ndarray of int of shape (n_samples, n_columns)

    Raises
    ------
    ValueError
        If X has other columns, or not two dimensions, or another value, which is then named.
    """
    values = _order_columns(X, names, what)
    if values.ndim != 2:
        raise ValueError(
            f"A table with a row for each example is expected, got {values.ndim} dimensions. "
            "A single row has double brackets, like [[0, 1]]."
        )
    if values.shape[1] != len(names):
        raise ValueError(
            f"Expected {len(names)} columns, one for each {what} ({', '.join(names[:20])}), got "
            f"{values.shape[1]}."
        )
    ok = (values == 0) | (values == 1)
    if not np.all(ok):
        row, column = np.argwhere(~ok)[0]
        value = values[row, column]
        raise ValueError(
            f"Each {what} must be 0 or 1, got {getattr(value, 'item', lambda: value)()!r} for "
            f"{names[column]!r} in row {row}, counted from 0."
        )
    return values.astype(int)


def complete_table(
    inputs: ArrayLike, outputs: ArrayLike, names: Sequence[str], default: int | None
) -> np.ndarray:
    """Check a truth table, and bring its rows into the order of `list_inputs`.

    Parameters
    ----------
    inputs : {array-like, sparse matrix, dataframe} of shape (n_rows, n_inputs)
    outputs : {array-like, series, dataframe} of shape (n_rows,) or (n_rows, n_outputs)
    names : sequence of str
        Names of the inputs.
    default : {0, 1} or None
        Output of rows that are missing.

    Returns
    -------
    ndarray of bool of shape (2**n_inputs, n_outputs)

    Raises
    ------
    ValueError
        If there are no inputs or more than `MAX_INPUTS`, a value is not 0 or 1, rows contradict
        each other, or are missing and there is no default.
    """
    if not 1 <= len(names) <= MAX_INPUTS:
        raise ValueError(
            f"A truth table has 1 to {MAX_INPUTS} inputs, got {len(names)}; a proposition, for "
            "ThresholdNetwork.from_expression, may have more."
        )
    if default not in (None, 0, 1):
        raise ValueError(f"default must be 0, 1 or None, got {default!r}.")
    rows, results = check_binary(inputs, names), _read_outputs(outputs)
    if len(rows) != len(results):
        raise ValueError(
            f"There are {len(rows)} rows of inputs and {len(results)} of outputs. Give one for one."
        )
    places, first, which = np.unique(number_inputs(rows), return_index=True, return_inverse=True)
    contradicts = np.any(results != results[first][which], axis=1)
    if np.any(contradicts):
        later = int(np.argmax(contradicts))
        earlier = int(first[which[later]])
        raise ValueError(
            f"Rows {earlier} and {later}, counted from 0, contradict each other: for "
            f"{_describe_inputs(rows[later], names)} the outputs are {results[earlier].tolist()} "
            f"and {results[later].tolist()}."
        )
    if default is None and len(places) < 2 ** len(names):
        is_there = np.isin(np.arange(2 ** len(names)), places)
        missing = list_inputs(len(names))[np.argmin(is_there)]
        raise ValueError(
            f"{np.sum(~is_there)} of the {len(is_there)} rows are missing, the first is "
            f"{_describe_inputs(missing, names)}. Give their output as default=0 or default=1."
        )
    table = np.full((2 ** len(names), results.shape[1]), bool(default))
    table[places] = results[first]
    return table


def _read_outputs(outputs: ArrayLike) -> np.ndarray:
    values = np.asarray(outputs)
    values = values[:, None] if values.ndim == 1 else values
    n_outputs = values.shape[1] if values.ndim == 2 else 1
    if n_outputs == 0:
        raise ValueError("A truth table needs an output, got a table without columns.")
    return check_binary(values, [f"output {i + 1}" for i in range(n_outputs)], "output")


def _describe_inputs(row: np.ndarray, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True))


def _order_columns(X: MatrixLike, names: Sequence[str], what: str) -> np.ndarray:
    values = X.toarray() if isinstance(X, SPARSE) else np.asarray(X)
    columns = [str(name) for name in getattr(X, "columns", names)]
    if set(columns) != set(names):
        raise ValueError(
            f"The columns are named {columns}, but each {what} needs one: {list(names)}. Rename "
            "them, or give an array."
        )
    return values if columns == list(names) else values[:, [columns.index(n) for n in names]]
