"""The line that a perceptron draws between classes, and how it moved while it learned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sknn._optional import require
from sknn.inspection._reading import HasUnits, Model, get_input_names, read_names
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.inspection.diagram._style import COLORS, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class DecisionLineDisplay:
    """Lines of threshold units in the plane of two features, from the first to the last.

    A line is where ``X @ coef + intercept`` is 0, and the arrow at its middle points to the side
    on which the unit fires. Earlier lines are paler; weights of 0, which draw none, are left out.

    Make it with `from_estimator`.

    Parameters
    ----------
    coefs : array-like of float of shape (n_lines, n_units, 2)
        Weights.
    intercepts : array-like of float of shape (n_lines, n_units)
        Intercepts.
    X : array-like of shape (n_samples, 2)
        Samples, which are drawn as points.
    y : array-like of shape (n_samples,) or None, default=None
        Their classes, which have a marker each.
    names : sequence of str or None, default=None
        Name of each line, for the legend of the first and the last; None means their numbers.
    unit_names, feature_names : sequence of str or None, default=None
        Titles of the panels, one for each unit, and labels of their axes.

    Attributes
    ----------
    coefs, intercepts, X, y, names, unit_names, feature_names
        The parameters, as arrays and lists.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_units,)
        The panels.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    lines_ : list of list of Line2D
        Lines of each unit, the last one last.

    Raises
    ------
    ValueError
        If shapes and names do not fit together.

    See Also
    --------
    sklearn.inspection.DecisionBoundaryDisplay : The answers of any classifier.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sknn import PerceptronClassifier
    >>> from sknn.inspection import DecisionLineDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = X[:100, :2], y[:100]
    >>> rule = PerceptronClassifier(update="online", record_weights="update", random_state=0)
    >>> display = DecisionLineDisplay.from_estimator(rule.fit(X, y), X, y)
    >>> display.coefs.shape[1:]
    (1, 2)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        coefs: ArrayLike,
        intercepts: ArrayLike,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        names: Sequence[str] | None = None,
        unit_names: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
    ):
        self.coefs = np.asarray(coefs, dtype=float)
        self.intercepts = np.asarray(intercepts, dtype=float)
        shape = self.coefs.shape
        if len(shape) != 3 or 0 in shape or shape[2] != 2 or self.intercepts.shape != shape[:2]:
            raise ValueError(
                "coefs must have the shape (n_lines, n_units, 2), as lines are drawn in the plane "
                f"of two features, and intercepts (n_lines, n_units); got {shape} and "
                f"{self.intercepts.shape}."
            )
        self.X, self.y = np.asarray(X, dtype=float), None if y is None else np.asarray(y)
        n_labels = len(self.X) if self.y is None else len(self.y)
        if self.X.ndim != 2 or self.X.shape[1] != 2 or n_labels != len(self.X):
            raise ValueError(
                "X must have the shape (n_samples, 2), and y a class for each sample; got X of "
                f"shape {self.X.shape} and y of shape {() if self.y is None else self.y.shape}."
            )
        n_lines, n_units, _ = shape
        lines = list(map(str, range(n_lines))) if names is None else names
        self.names = read_names(lines, n_lines, "names of lines")
        units = [f"unit {i}" for i in range(n_units)] if unit_names is None else unit_names
        self.unit_names = read_names(units, n_units, "names of units")
        features = get_input_names(None, 2) if feature_names is None else feature_names
        self.feature_names = read_names(features, 2, "names of features")

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        max_lines: int = 12,
        n_columns: int = 3,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> "DecisionLineDisplay":
        """Draw the line of a fitted perceptron, and those before it, if it has recorded them.

        Parameters
        ----------
        estimator : estimator
            Estimator that was fitted on two features, with ``coef_`` and ``intercept_``. A
            `PerceptronClassifier` with ``record_weights`` has kept the earlier lines.
        X : array-like of shape (n_samples, 2)
            Samples, which are drawn as points.
        y : array-like of shape (n_samples,) or None, default=None
            Their classes, which have a marker each.
        max_lines : int, default=12
            Maximum number of lines of a unit: the first, the last, and some in between.
        n_columns : int, default=3
            Number of panels side by side.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each unit; None makes a new figure.

        Returns
        -------
        DecisionLineDisplay

        Raises
        ------
        ValueError
            If the estimator has no such weights, or not two features.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        check_is_fitted(estimator)
        if not isinstance(estimator, HasUnits) or np.shape(estimator.coef_)[-1] != 2:
            raise ValueError(
                "DecisionLineDisplay draws estimators with coef_ and intercept_ that are fitted on "
                f"two features; got {type(estimator).__name__}. Fit a PerceptronClassifier on two "
                "columns."
            )
        coefs, intercepts, names = _get_lines(estimator, max_lines)
        classes, n_units = getattr(estimator, "classes_", ()), coefs.shape[1]
        units = classes[-1:] if n_units == 1 else classes
        units = [f"fires for {label}" for label in units]
        display = cls(
            coefs,
            intercepts,
            X,
            y,
            names=names,
            unit_names=units if len(units) == n_units else None,
            feature_names=get_input_names(estimator, 2),
        )
        return display.plot(ax, n_columns=n_columns)

    def plot(
        self, ax: "Axes | Sequence[Axes] | None" = None, *, n_columns: int = 3
    ) -> "DecisionLineDisplay":
        """Draw the samples and the lines among them.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each unit; None makes a new figure.
        n_columns : int, default=3
            Number of panels side by side.

        Returns
        -------
        DecisionLineDisplay
            The display itself.
        """
        purpose = f"{type(self).__name__}.plot"
        n_units = self.coefs.shape[1]
        size = (3.4 + 1.8 / n_units, 3.2)  # the legend is beside the last panel
        self.ax_, self.axes_ = make_panels(ax, n_units, n_columns, size=size, purpose=purpose)
        self.figure_ = self.axes_[0].figure
        self.lines_ = []
        for unit, (axis, name) in enumerate(zip(self.axes_, self.unit_names, strict=True)):
            _draw_points(axis, self.X, self.y)
            self.lines_.append(self._draw_lines(axis, unit, purpose))
            axis.set(xlabel=self.feature_names[0], ylabel=self.feature_names[1], title=name)
        last = self.axes_[-1]
        last.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        show_text_as_it_is(self.axes_)
        return self

    def _draw_lines(self, axis: "Axes", unit: int, purpose: str) -> list[Any]:
        """Draw the lines of a unit across the limits that the points have given the Axes."""
        color = require("matplotlib.colors", purpose).to_rgb(COLORS[0])
        limits = np.array([axis.get_xlim(), axis.get_ylim()])
        axis.set(xlim=limits[0], ylim=limits[1])
        coefs, intercepts = self.coefs[:, unit], self.intercepts[:, unit]
        drawn = np.flatnonzero(np.any(coefs != 0, axis=1))
        middle, lines = limits.mean(axis=1), []
        for rank, i in enumerate(drawn):
            share = (rank + 1) / len(drawn)
            # the point of the line w·x + b = 0 nearest to the middle m is m - (w·m + b) w / |w|²
            w, squared = coefs[i], float(coefs[i] @ coefs[i])
            foot = middle - (w @ middle + intercepts[i]) * w / squared
            label = f"line {self.names[i]}" if rank in (0, len(drawn) - 1) else None
            look = {"color": color, "alpha": 0.15 + 0.85 * share, "linewidth": 0.8 + share}
            along = foot + np.array([-w[1], w[0]]) / np.sqrt(squared)
            lines.append(axis.axline(foot, along, label=label, **look))
        if len(drawn):
            arrow = 0.08 * np.ptp(limits, axis=1).min() * w / np.sqrt(squared)
            axis.annotate("", foot + arrow, foot, arrowprops={"arrowstyle": "->", "color": color})
        return lines


def _get_lines(estimator: HasUnits, max_lines: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the weights to draw, and after how many steps they were reached."""
    history = getattr(estimator, "history_", {})
    if "coef" not in history:
        return estimator.coef_[None], np.asarray(estimator.intercept_)[None], ["learned"]
    n = len(history["coef"])
    shown = np.unique(np.linspace(0, n - 1, max(2, min(max_lines, n))).round().astype(int))
    names = [f"after {i} steps" if i != 1 else "after 1 step" for i in shown]
    return history["coef"][shown], history["intercept"][shown], names


def _draw_points(axis: "Axes", points: np.ndarray, labels: np.ndarray | None) -> None:
    look: dict[str, Any] = {"c": "white", "edgecolors": "0.35", "s": 22, "zorder": 1}
    if labels is None:
        axis.scatter(*points.T, **look)
        return
    for label, marker in zip(np.unique(labels), MARKERS * (1 + len(labels)), strict=False):
        axis.scatter(*points[labels == label].T, marker=marker, label=str(label), **look)
