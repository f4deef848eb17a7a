"""Truth tables, of whatever predicts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike

from sknn.threshold.networks._binary_tables import list_inputs, make_default_names

if TYPE_CHECKING:
    import pandas as pd

#: rows that are predicted at once, so that a table of a million takes little memory besides
_PART = 2**16


class BinaryPredictor(Protocol):
    """A unit, a network of units or a fitted classifier of inputs that are 0 or 1."""

    n_features_in_: int

    def predict(self, X: ArrayLike, /) -> np.ndarray:
        """Return the outputs of shape (n_samples,) or (n_samples, n_outputs)."""


def truth_table(
    model: BinaryPredictor, names: Sequence[str] | None = None, *, hidden: bool = False
) -> "pd.DataFrame":
    """Return what a model predicts for all combinations of zeros and ones.

    Parameters
    ----------
    model : object
        Anything with ``predict`` and ``n_features_in_``: a unit, a network of units, a fitted
        classifier.
    names : sequence of str or None, default=None
        Names of the inputs, or of inputs and outputs. None means the names the model has, or x1,
        x2 and so on, and output.
    hidden : bool, default=False
        Whether hidden units have columns, between inputs and outputs; for a `ThresholdNetwork`.

    Returns
    -------
    pandas.DataFrame of shape (2**n_inputs, n_inputs + n_outputs)
        Rows count upwards: the last input changes fastest.

    Raises
    ------
    ValueError
        If the model is no such object, has more than 20 inputs or no hidden units to show, or
        `names` are not one for each column.

    Examples
    --------
    >>> from sknn.threshold import IMPLIES, truth_table
    >>> print(truth_table(IMPLIES(), names=["rain", "wet"]).to_string(index=False))
     rain  wet  output
        0    0       1
        0    1       1
        1    0       0
        1    1       1
    """
    import pandas as pd  # not needed for the rest of sknn.threshold

    if not hasattr(model, "predict") or not hasattr(model, "n_features_in_"):
        raise ValueError(
            f"A truth table needs something with predict and n_features_in_, got {model!r}. If it "
            "is an estimator, fit it first."
        )
    rows = list_inputs(model.n_features_in_)
    own_names = getattr(model, "feature_names_in_", None)
    X = pd.DataFrame(
        rows, columns=make_default_names(rows.shape[1]) if own_names is None else own_names
    )
    if hidden:
        columns = _compute_nodes(model, X)
    else:
        parts = [slice(i, i + _PART) for i in range(0, len(rows), _PART)]
        given = (rows[p].astype(float) if own_names is None else X[p] for p in parts)
        predicted = (np.asarray(model.predict(part)) for part in given)
        results = np.concatenate([y.reshape(len(y), -1) for y in predicted])
        columns = dict(zip(_choose_output_names(model, results.shape[1]), results.T, strict=True))
    outputs = pd.DataFrame(columns)
    if len(inputs_and_outputs := list(names or [])) > X.shape[1]:
        outputs.columns = _check_names(inputs_and_outputs[X.shape[1] :], outputs.columns)
    X.columns = _check_names(inputs_and_outputs[: X.shape[1]] or list(X.columns), X.columns)
    return pd.concat([X, outputs], axis=1)


def _compute_nodes(model: BinaryPredictor, X: "pd.DataFrame") -> dict[str, np.ndarray]:
    if not hasattr(model, "activations"):
        raise ValueError(
            f"hidden=True shows the units of a ThresholdNetwork, got {type(model).__name__}."
        )
    nodes = model.activations(X)
    return {name: values for name, values in nodes.items() if name not in X.columns}


def _choose_output_names(model: BinaryPredictor, n_outputs: int) -> list[str]:
    if hasattr(model, "output_names"):
        return model.output_names
    return ["output"] if n_outputs == 1 else [f"output{i + 1}" for i in range(n_outputs)]


def _check_names(names: list[str], columns: Sequence[str]) -> list[str]:
    if len(names) != len(columns):
        raise ValueError(f"Expected names for the columns {list(columns)}, got {names}.")
    return names
