"""Codes of samples as points of the plane, coloured by class."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sknn._optional import require
from sknn._validation import MatrixLike
from sknn.inspection._reading import give_samples, read_names, unwrap
from sknn.inspection.diagram._panels import check_axes, show_text_as_it_is
from sknn.inspection.diagram._style import COLORS, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar

#: most classes -> colormap of that many colours, beyond the colours that all pictures share
_COLORMAPS = {10: "tab10", 20: "tab20"}
#: of further classes, and of numbers
_CONTINUOUS = "cividis"


class EmbeddingDisplay:
    """Samples as points of the plane: two numbers of their code, coloured by class.

    Each class has a colour and a marker; for numbers that are not classes there is a colour scale.

    Make it with `from_estimator`. Codes of estimators without ``transform``, such as ``TSNE``, are
    given to the constructor.

    Parameters
    ----------
    codes : array-like of float of shape (n_samples, 2)
        Points.
    y : array-like of shape (n_samples,) or None, default=None
        Classes, or numbers of which some are not whole.
    class_names : sequence of str or None, default=None
        Names of the classes in their sorted order; None means the labels.
    component_names : sequence of str, default=('component 1', 'component 2')
        Labels of the axes.

    Attributes
    ----------
    codes, y, component_names
        The parameters, as arrays and a list.
    classes : ndarray of shape (n_classes,) or None
        Labels, sorted; None without y, and where it is numbers.
    class_names : list of str
        A name for each of `classes`.
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    points_ : list of PathCollection
        Points of each class, or of all samples.
    colorbar_ : matplotlib Colorbar or None
        Scale of numbers.

    Raises
    ------
    ValueError
        If codes are not of two numbers, or there is not an entry of y, or a name, for each.

    See Also
    --------
    ReconstructionDisplay : Images and their reconstructions.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sknn import AutoencoderTransformer
    >>> from sknn.inspection import EmbeddingDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(2, max_iter=20, tol=0.1, random_state=0).fit(X)
    >>> display = EmbeddingDisplay.from_estimator(autoencoder, X, y)
    >>> display.codes.shape
    (150, 2)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        codes: ArrayLike,
        y: ArrayLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        component_names: Sequence[str] = ("component 1", "component 2"),
    ):
        self.codes = np.asarray(codes)
        self.y = None if y is None else np.asarray(y)
        if self.codes.ndim != 2 or self.codes.shape[1] != 2 or len(self.codes) == 0:
            raise ValueError(
                "codes must have the shape (n_samples, 2), with a sample at least; got shape "
                f"{self.codes.shape}."
            )
        if self.y is not None and self.y.shape != (len(self.codes),):
            raise ValueError(
                f"y must have an entry for each of the {len(self.codes)} samples, got an array of "
                f"shape {self.y.shape}."
            )
        given = self.y
        self.classes = None if given is None or _is_measured(given) else np.unique(given)
        labels = [] if self.classes is None else self.classes.tolist()
        names = labels if class_names is None else class_names
        self.class_names = read_names(names, len(labels), "class names")
        self.component_names = read_names(component_names, 2, "names of components")

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: ArrayLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        components: tuple[int, int] | None = None,
        legend: bool = True,
        ax: "Axes | None" = None,
        scatter_kw: Mapping[str, Any] | None = None,
    ) -> "EmbeddingDisplay":
        """Draw the codes that a fitted transformer gives to samples.

        Parameters
        ----------
        estimator : estimator
            Fitted transformer, such as `AutoencoderTransformer` or ``PCA``, or a pipeline or search
            with ``transform``.
        X : array-like of shape (n_samples, n_features)
            Samples, as ``transform`` takes them.
        y : array-like of shape (n_samples,) or None, default=None
            Classes, or numbers of which some are not whole.
        class_names : sequence of str or None, default=None
            Names of the classes in their sorted order; None means the labels.
        components : tuple of int or None, default=None
            Numbers of the two components to draw, from 0; None means that codes have two.
        legend : bool, default=True
            Whether to explain the colours, in a legend or, for numbers, in a scale.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        scatter_kw : mapping or None, default=None
            Further arguments for ``ax.scatter``.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        TypeError
            If the estimator has no ``transform``.
        ValueError
            If codes do not have these components, or there is not an entry of y for each sample.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        _, model = unwrap(estimator)
        if not hasattr(estimator, "transform"):
            raise TypeError(
                f"EmbeddingDisplay.from_estimator draws what transform returns, but "
                f"{type(model).__name__} has none. Give codes of another kind to the constructor: "
                "EmbeddingDisplay(codes, y).plot()."
            )
        codes = np.asarray(estimator.transform(give_samples(estimator, X)))
        first, second = _check_components(components, codes)
        display = cls(
            codes[:, [first, second]],
            y,
            class_names=class_names,
            component_names=[f"component {i + 1}" for i in (first, second)],
        )
        return display.plot(ax, legend=legend, scatter_kw=scatter_kw)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        legend: bool = True,
        scatter_kw: Mapping[str, Any] | None = None,
    ) -> "EmbeddingDisplay":
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        legend : bool, default=True
            Whether to explain the colours, in a legend or, for numbers, in a scale.
        scatter_kw : mapping or None, default=None
            Further arguments for ``ax.scatter``.

        Returns
        -------
        EmbeddingDisplay
            The display itself.
        """
        purpose = f"{type(self).__name__}.plot"
        plt = require("matplotlib.pyplot", purpose)
        check_axes(ax, purpose)
        if ax is None:
            _, ax = plt.subplots(figsize=(self._choose_width(), 4.2), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        self.colorbar_: Colorbar | None = None
        look = {"s": 14, "alpha": 0.8, "linewidths": 0, **(scatter_kw or {})}
        if self.classes is None:
            self._draw_together(look, legend)
        else:
            self._draw_classes(self.classes, look, legend)
        ax.set(xlabel=self.component_names[0], ylabel=self.component_names[1])
        show_text_as_it_is([ax])
        return self

    def _choose_width(self) -> float:
        """Return the inches of a new figure, in which a legend leaves room for the points."""
        if self.classes is None:
            return 5.4
        letters = max(map(len, self.class_names), default=0)
        return max(5.4, 4.0 + _count_columns(self.classes) * (0.55 + 0.075 * letters))

    def _draw_together(self, look: Mapping[str, Any], legend: bool) -> None:
        """Draw all points as one kind, coloured by numbers if there are any."""
        colors: dict[str, Any] = {"color": COLORS[0]}
        if self.y is not None:
            colors = {"c": self.y, "cmap": _CONTINUOUS}
        x, y = self.codes.T
        self.points_ = [self.ax_.scatter(x, y, **colors, **look)]
        if self.y is not None and legend:
            self.colorbar_ = self.figure_.colorbar(self.points_[0], ax=self.ax_, label="y")

    def _draw_classes(self, classes: np.ndarray, look: Mapping[str, Any], legend: bool) -> None:
        """Draw the points of one class after the other."""
        self.points_, colors = [], _choose_colors(len(classes))
        for i, label in enumerate(classes):
            kind = {"color": [colors[i]], "marker": MARKERS[i % len(MARKERS)]}
            points = self.codes[self.y == label]
            self.points_.append(self.ax_.scatter(*points.T, **{**kind, **look}))
        if legend:
            # beside the points
            columns, place = _count_columns(classes), (1.0, 0.5)
            self.ax_.legend(
                self.points_,
                self.class_names,
                fontsize="small",
                ncols=columns,
                loc="center left",
                bbox_to_anchor=place,
            )


def _count_columns(classes: np.ndarray) -> int:
    """Return the columns of a legend; 16 lines fit the height of a new figure."""
    return 1 + (len(classes) - 1) // 16


def _is_measured(y: np.ndarray) -> bool:
    """Return whether y is numbers that are no labels, as some are not whole."""
    return y.dtype.kind == "f" and not np.array_equal(y, np.round(y))


def _check_components(components: tuple[int, int] | None, codes: np.ndarray) -> tuple[int, int]:
    """Return which two columns of codes are drawn."""
    n_columns = codes.shape[1] if codes.ndim == 2 else 0
    if components is None:
        if n_columns != 2:
            raise ValueError(
                "EmbeddingDisplay draws codes of two numbers, but these have shape "
                f"{codes.shape}. Give components=(0, 1) to draw two of several, or fit with "
                "n_components=2."
            )
        return 0, 1
    if len(components) != 2 or not all(0 <= i < n_columns for i in components):
        raise ValueError(
            f"components must be two numbers from 0 to {n_columns - 1}, got {components!r}."
        )
    return components


def _choose_colors(n_classes: int) -> list[Any]:
    """Return a colour for each class."""
    if n_classes <= len(COLORS):
        return list(COLORS[:n_classes])
    colormaps = require("matplotlib", "EmbeddingDisplay.plot").colormaps
    for most, name in _COLORMAPS.items():
        if n_classes <= most:
            return list(colormaps[name].colors[:n_classes])
    return list(colormaps[_CONTINUOUS](np.linspace(0, 1, n_classes)))
