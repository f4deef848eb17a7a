"""The neuron of 1943 and 1957: a weighted sum and a step."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from sknn._saved import saved
from sknn.activations import heaviside


def sign(t: ArrayLike) -> np.ndarray:
    """Return -1 where t < 0, 0 where t = 0, and 1 where t > 0.

    Parameters
    ----------
    t : array-like of float, of any shape

    Returns
    -------
    ndarray of float, of the same shape

    Examples
    --------
    >>> from sknn.threshold import heaviside, sign
    >>> sign([-2.0, 0.0, 3.0])
    array([-1.,  0.,  1.])
    >>> heaviside([-2.0, 0.0, 3.0])
    array([0., 1., 1.])
    """
    return np.sign(np.asarray(t, dtype=float))


#: name -> step function; they differ below 0 and, which decides ties, at 0
STEPS = {"heaviside": heaviside, "sign": sign}


@saved
class ThresholdUnit:
    """One neuron: it fires where the weighted sum of its inputs reaches its threshold.

    With inputs in {0, 1} and weights 1 and -1 it is McCulloch and Pitts' neuron, which computes
    logic; with any numbers it is Rosenblatt's threshold logic unit. It learns nothing:
    `ThresholdLogicClassifier` and `PerceptronClassifier` do.

    Parameters
    ----------
    weights : array-like of shape (n_features,)
        Weights, one for each input.
    threshold : float or None, default=None
        Number that the weighted sum has to reach. Give it or `intercept`.
    intercept : float or None, default=None
        Bias, which is minus the threshold.
    inhibitory : sequence of int, default=()
        Positions of inputs to be multiplied by -1.
    step : {'heaviside', 'sign'}, default='heaviside'
        Step function of the sum minus the threshold.

    Attributes
    ----------
    weights : ndarray of shape (n_features,)
        Weights, with the signs of inhibitory inputs changed.
    threshold, intercept : float
        Threshold and intercept, of which one is minus the other.
    coef_ : ndarray of shape (1, n_features)
        The weights, and
    intercept_ : ndarray of shape (1,)
        the intercept, where scikit-learn's linear models have them.
    n_features_in_ : int
        Number of inputs.

    Raises
    ------
    ValueError
        If weights are not a row of finite numbers, not exactly one of `threshold` and `intercept`
        is given, or it is not finite, an inhibitory input does not exist or the step is unknown.

    See Also
    --------
    ThresholdNetwork : Layers of units.
    ThresholdLogicClassifier : A unit as a classifier, given or learned.

    References
    ----------
    .. [1] McCulloch, W. S., & Pitts, W. (1943). "A logical calculus of the ideas immanent in
       nervous activity." Bulletin of Mathematical Biophysics 5, 115-133.
       doi:10.1007/bf02478259
    .. [2] Rosenblatt, F. (1958). "The perceptron: a probabilistic model for information storage
       and organization in the brain." Psychological Review 65(6), 386-408. doi:10.1037/h0042519

    Examples
    --------
    >>> from sknn.threshold import ThresholdUnit
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> conjunction, disjunction = (ThresholdUnit([1, 1], threshold) for threshold in (2, 1))
    >>> conjunction(X), disjunction(X)
    (array([0, 0, 0, 1]), array([0, 1, 1, 1]))

    An inhibitory input alone is NOT; the bias may be the weight of an extra input that is 1:

    >>> ThresholdUnit([1], 0, inhibitory=[0])([[0], [1]])
    array([1, 0])
    >>> ThresholdUnit.from_augmented([-1.5, 1, 1])
    ThresholdUnit(weights=[1, 1], threshold=1.5)
    """

    def __init__(
        self,
        weights: ArrayLike,
        threshold: float | None = None,
        *,
        intercept: float | None = None,
        inhibitory: Sequence[int] = (),
        step: str = "heaviside",
    ):
        if threshold is not None and intercept is None:
            given = threshold
        elif intercept is not None and threshold is None:
            given = -intercept
        else:
            raise ValueError(
                f"A unit needs either a threshold or an intercept, which is minus the threshold; "
                f"got threshold={threshold!r} and intercept={intercept!r}."
            )
        if step not in STEPS:
            raise ValueError(f"step must be one of {sorted(STEPS)}, got {step!r}.")
        self.weights = _invert_inputs(_check_finite_row(weights), inhibitory)
        value = _check_finite_row([given], "threshold")
        self.threshold = float(value[0])
        self.step = step

    @classmethod
    def from_augmented(cls, weights: ArrayLike, *, step: str = "heaviside") -> "ThresholdUnit":
        """Make a unit whose bias is the weight of an extra first input that is always 1.

        Parameters
        ----------
        weights : array-like of shape (1 + n_features,)
            θ₀, which is the intercept, then the weights.
        step : {'heaviside', 'sign'}, default='heaviside'
            Step function.

        Returns
        -------
        ThresholdUnit

        Raises
        ------
        ValueError
            If weights are not a row of two or more finite numbers.
        """
        weights = _check_finite_row(weights)
        # w_0 + w·x is w·(1, x): the intercept is the weight of an input that is always 1.
        return cls(weights[1:], intercept=weights[0], step=step)

    @property
    def intercept(self) -> float:
        """Minus the threshold."""
        # Not -threshold, which of 0 is -0.
        return 0.0 - self.threshold

    @property
    def coef_(self) -> np.ndarray:
        """Weights, of shape (1, n_features)."""
        return self.weights[None, :]

    @property
    def intercept_(self) -> np.ndarray:
        """Intercept, of shape (1,)."""
        return np.array([self.intercept])

    @property
    def n_features_in_(self) -> int:
        """Number of inputs."""
        return len(self.weights)

    def net_input(self, X: ArrayLike) -> np.ndarray:
        """Return the weighted sum of each sample minus the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples of finite numbers.

        Returns
        -------
        ndarray of float of shape (n_samples,)
            ``X @ weights + intercept``.

        Raises
        ------
        ValueError
            If X is not such a table, or has another number of columns than the unit has inputs.
        """
        if np.ndim(X) == 1:
            raise ValueError(
                f"A unit takes a list of samples, got {X!r}. A single sample has double brackets, "
                "such as [[0, 1]]."
            )
        samples = check_array(X, dtype=float)
        if samples.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {samples.shape[1]} columns, but the unit has {self.n_features_in_} inputs. "
                "Give a column for each."
            )
        return samples @ self.weights + self.intercept

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the output for each sample; calling the unit does the same.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples of finite numbers.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            0 or 1; -1, 0 or 1 if the step is ``'sign'``.
        """
        return STEPS[self.step](self.net_input(X)).astype(int)

    __call__ = predict

    def __repr__(self) -> str:
        weights = ", ".join(format_number(weight) for weight in self.weights)
        step = "" if self.step == "heaviside" else f", step={self.step!r}"
        return (
            f"ThresholdUnit(weights=[{weights}], threshold={format_number(self.threshold)}{step})"
        )


def list_units(layers: Iterable[Iterable[ThresholdUnit]]) -> list[list[ThresholdUnit]]:
    """Return the units of each layer; raise TypeError if layers are no lists of units."""
    try:
        units = [list(layer) for layer in layers]
        fits = all(isinstance(unit, ThresholdUnit) for layer in units for unit in layer)
    except TypeError:  # a unit in place of a list
        fits = False
    if not fits:
        raise TypeError(
            f"layers must be lists of units, such as [[AND(), OR()], [AND()]]; got {layers!r}."
        )
    return units


def format_number(number: float) -> str:
    """Return a number as text, without ``.0`` if it is whole."""
    return str(int(number)) if float(number).is_integer() else str(float(number))


def format_unit(unit: ThresholdUnit, before: Sequence[str]) -> str:
    """Return where a unit fires, such as ``[a - 2 b >= 1]``, by the names of its inputs."""
    terms = [
        ("- " if weight < 0 else "+ ")
        + (name if abs(weight) == 1 else f"{format_number(abs(weight))} {name}")
        for weight, name in zip(unit.weights, before, strict=True)
        if weight
    ]
    total = " ".join(terms).removeprefix("+ ") or "0"
    total = "-" + total[2:] if total.startswith("- ") else total
    return f"[{total} >= {format_number(unit.threshold)}]"


def _check_finite_row(values: ArrayLike, what: str = "weights") -> np.ndarray:
    row = np.array(values, dtype=float)
    if row.ndim != 1 or len(row) == 0 or not np.all(np.isfinite(row)):
        raise ValueError(f"{what} must be finite numbers, one at least, got {values!r}.")
    return row


def _invert_inputs(weights: np.ndarray, inhibitory: Sequence[int]) -> np.ndarray:
    for position in inhibitory:
        if not 0 <= position < len(weights):
            raise ValueError(
                f"inhibitory must be positions of inputs from 0 to {len(weights) - 1}, got "
                f"{position!r}."
            )
        weights[position] *= -1
    return weights
