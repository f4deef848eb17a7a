"""Prediction intervals beside what happened: whether they hold, and where they do not."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length

from sknn._validation import MatrixLike
from sknn.inspection._reading import unwrap
from sknn.inspection.diagram._panels import make_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@runtime_checkable
class PredictsIntervals(Protocol):
    """A regressor that says how far off its predictions may be."""

    def predict_interval(self, X: MatrixLike, coverage: float) -> np.ndarray:
        """Return lower and upper ends, of shape (n_samples, 2)."""


class PredictionIntervalDisplay:
    """Prediction intervals of samples, sorted by their middle, and the true values.

    Values within their interval and values outside have colours of their own; the title gives the
    share within, beside the one that was asked for.

    Make it with `from_estimator`, or `from_predictions` for intervals of any origin.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True values.
    intervals : array-like of shape (n_samples, 2)
        Lower and upper ends.
    coverage : float or None, default=None
        Share of values that the intervals are meant to hold, for the title.

    Attributes
    ----------
    y_true, intervals, coverage
        The parameters, as arrays.
    observed_coverage_ : float
        Share of values within their intervals.
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    band_ : matplotlib PolyCollection
        The intervals.
    inside_, outside_ : matplotlib Line2D
        Values within and outside of their intervals.

    Raises
    ------
    ValueError
        If shapes do not fit, or a lower end lies above the upper one.

    See Also
    --------
    sklearn.metrics.PredictionErrorDisplay : Predictions against true values.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import TabularMLPRegressor
    >>> from sknn.inspection import PredictionIntervalDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = TabularMLPRegressor(max_iter=20, random_state=0).fit(X[:300], y[:300])
    >>> display = PredictionIntervalDisplay.from_estimator(model, X[300:], y[300:], coverage=0.8)
    >>> print(f"{display.observed_coverage_:.1f}")
    0.8
    >>> plt.close(display.figure_)
    """

    def __init__(self, y_true: ArrayLike, intervals: ArrayLike, *, coverage: float | None = None):
        self.y_true = np.asarray(y_true, dtype=float)
        self.intervals = np.asarray(intervals, dtype=float)
        self.coverage = coverage
        check_consistent_length(self.y_true, self.intervals)
        if self.y_true.ndim != 1 or self.intervals.shape != (len(self.y_true), 2):
            raise ValueError(
                "y_true must be of shape (n_samples,) and intervals of shape (n_samples, 2); got "
                f"{self.y_true.shape} and {self.intervals.shape}. Draw one output at a time."
            )
        low, high = self.intervals.T
        if np.any(low > high):
            raise ValueError(
                f"Lower ends must not lie above upper ends, but sample {int(np.argmax(low > high))}"
                " has its interval the other way round. Give columns in the order lower, upper."
            )
        self.observed_coverage_ = float(np.mean((low <= self.y_true) & (self.y_true <= high)))

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: ArrayLike,
        *,
        coverage: float = 0.9,
        ax: "Axes | None" = None,
        scatter_kw: Mapping[str, Any] | None = None,
    ) -> "PredictionIntervalDisplay":
        """Draw the intervals of a fitted regressor.

        Parameters
        ----------
        estimator : estimator
            Fitted regressor with ``predict_interval``, or a pipeline or search that holds one.
        X : {array-like, data frame} of shape (n_samples, n_features)
            Samples, at best those that it has not learned from.
        y : array-like of shape (n_samples,)
            True values.
        coverage : float, default=0.9
            Share of values that the intervals are to hold, in (0, 1).
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        scatter_kw : mapping or None, default=None
            Further arguments for the values, ``ax.plot``.

        Returns
        -------
        PredictionIntervalDisplay

        Raises
        ------
        ValueError
            If the estimator has no intervals, or fit held out too few samples.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        transformers, network = unwrap(estimator)
        if not isinstance(network, PredictsIntervals):
            raise ValueError(
                "PredictionIntervalDisplay needs a regressor with predict_interval, such as "
                f"TabularMLPRegressor; got {type(network).__name__}. Draw intervals of another "
                "origin with PredictionIntervalDisplay.from_predictions."
            )
        for transformer in transformers:
            X = transformer.transform(X)
        intervals = network.predict_interval(X, coverage)
        return cls.from_predictions(y, intervals, coverage=coverage, ax=ax, scatter_kw=scatter_kw)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        intervals: ArrayLike,
        *,
        coverage: float | None = None,
        ax: "Axes | None" = None,
        scatter_kw: Mapping[str, Any] | None = None,
    ) -> "PredictionIntervalDisplay":
        """Draw given intervals.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True values.
        intervals : array-like of shape (n_samples, 2)
            Lower and upper ends.
        coverage : float or None, default=None
            Share of values that they are meant to hold.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        scatter_kw : mapping or None, default=None
            Further arguments for the values, ``ax.plot``.

        Returns
        -------
        PredictionIntervalDisplay

        Raises
        ------
        ValueError
            If shapes do not fit, or a lower end lies above the upper one.
        """
        return cls(y_true, intervals, coverage=coverage).plot(ax, scatter_kw=scatter_kw)

    def plot(
        self, ax: "Axes | None" = None, *, scatter_kw: Mapping[str, Any] | None = None
    ) -> "PredictionIntervalDisplay":
        """Draw the intervals and the values.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        scatter_kw : mapping or None, default=None
            Further arguments for the values, ``ax.plot``.

        Returns
        -------
        PredictionIntervalDisplay
            The display itself.
        """
        purpose = "PredictionIntervalDisplay.plot"
        _, (axis,) = make_panels(ax, 1, 1, size=(6.4, 4.0), purpose=purpose)
        self.ax_, self.figure_ = axis, axis.figure
        order = np.argsort(self.intervals.mean(axis=1), kind="stable")
        (low, high), y = self.intervals[order].T, self.y_true[order]
        places = np.arange(len(y))
        is_inside = (low <= y) & (y <= high)
        options = {"linestyle": "none", "marker": ".", **(scatter_kw or {})}
        self.band_ = axis.fill_between(places, low, high, step="mid", color="0.8", label="interval")
        (self.inside_,) = axis.plot(
            places[is_inside], y[is_inside], **{"color": "C0", "label": "inside", **options}
        )
        (self.outside_,) = axis.plot(
            places[~is_inside], y[~is_inside], **{"color": "C3", "label": "outside", **options}
        )
        target = "" if self.coverage is None else f", target {self.coverage:.0%}"
        axis.set(
            xlabel="samples, sorted by the middle of their intervals",
            ylabel="y",
            title=f"{self.observed_coverage_:.0%} inside{target}",
        )
        axis.legend()
        return self
