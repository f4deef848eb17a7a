"""The weights of a unit as an image of what it looks for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from sknn.inspection._reading import Model, make_images, read_layers, read_names, unwrap
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.inspection.diagram._style import DIVERGING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: of the weights, the others are drawn as those at the end of the scale
_SHARE_ON_SCALE = 0.98


class WeightMapDisplay:
    """Weights of units that see the pixels of an image, as images.

    A pixel is blue if light on it makes the unit fire, and red if light keeps the unit from firing.
    All maps share one scale, symmetric about 0, which covers 98 % of the weights: a few very large
    ones would leave the others pale.

    Make it with `from_estimator`.

    Parameters
    ----------
    maps : array-like of float of shape (n_units, height, width)
        Weights.
    names : sequence of str or None, default=None
        Titles of the maps; None means unit 0, unit 1 and so on.

    Attributes
    ----------
    maps, names
        The parameters, as an array and a list.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_units,)
        The panels.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    images_ : list of AxesImage
        The maps.
    colorbar_ : matplotlib Colorbar or None
        Their scale.

    Raises
    ------
    ValueError
        If maps have not three axes, or there is not a name for each.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sknn import PerceptronClassifier
    >>> from sknn.inspection import WeightMapDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> display = WeightMapDisplay.from_estimator(PerceptronClassifier().fit(X, y))
    >>> display.maps.shape
    (10, 8, 8)
    >>> plt.close(display.figure_)
    """

    def __init__(self, maps: ArrayLike, *, names: Sequence[str] | None = None):
        self.maps = np.asarray(maps, dtype=float)
        if self.maps.ndim != 3 or len(self.maps) == 0:
            raise ValueError(
                "maps must be an array of shape (n_units, height, width), got shape "
                f"{self.maps.shape}."
            )
        n_units = len(self.maps)
        names = [f"unit {i}" for i in range(n_units)] if names is None else names
        self.names = read_names(names, n_units, "names of maps")

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        *,
        units: Sequence[int] | None = None,
        image_shape: tuple[int, ...] | None = None,
        n_columns: int = 5,
        colorbar: bool = True,
        ax: "Axes | Sequence[Axes] | None" = None,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "WeightMapDisplay":
        """Draw the weights of the first layer of a fitted network.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with ``coefs_`` or ``coef_``, or a pipeline or search that holds one.
            Behind a scaler, the weights are those of scaled inputs.
        units : sequence of int or None, default=None
            Numbers of the units, from 0. None means the 20 whose weights have the largest norm,
            or all if there are no more.
        image_shape : tuple of int or None, default=None
            Height and width of the image, and 3 or 4 for colours, whose maps show the sum over
            channels: what grey light does. None means a square grey image.
        n_columns : int, default=5
            Number of maps side by side.
        colorbar : bool, default=True
            Whether to draw the scale.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each unit; None makes a new figure.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        WeightMapDisplay

        Raises
        ------
        ValueError
            If the estimator has no weights, its features are no such image, or there is no such
            unit.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        _, network = unwrap(estimator)
        coef = read_layers(network, cls.__name__).coefs[0]
        chosen = _choose_units(coef, units)
        maps = make_images(coef.T[chosen], image_shape)
        display = cls(
            maps if maps.ndim == 3 else maps.sum(axis=3),
            names=_get_unit_names(network, chosen, coef.shape[1]),
        )
        return display.plot(ax, n_columns=n_columns, colorbar=colorbar, image_kw=image_kw)

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        n_columns: int = 5,
        colorbar: bool = True,
        image_kw: Mapping[str, Any] | None = None,
    ) -> "WeightMapDisplay":
        """Draw the maps.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each unit; None makes a new figure.
        n_columns : int, default=5
            Number of maps side by side.
        colorbar : bool, default=True
            Whether to draw the scale.
        image_kw : mapping or None, default=None
            Further arguments for ``ax.imshow``.

        Returns
        -------
        WeightMapDisplay
            The display itself.
        """
        purpose = f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, len(self.maps), n_columns, size=(1.35, 1.45), purpose=purpose
        )
        self.figure_ = self.axes_[0].figure
        largest = np.abs(self.maps).max()
        end = np.quantile(np.abs(self.maps), _SHARE_ON_SCALE) or largest or 1.0
        look = {"cmap": DIVERGING, "vmin": -end, "vmax": end, **(image_kw or {})}
        self.images_ = []
        for axis, weights, name in zip(self.axes_, self.maps, self.names, strict=True):
            self.images_.append(axis.imshow(weights, **look))
            axis.set_title(name, fontsize="small")
            axis.set(xticks=[], yticks=[])
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.images_[0],
                ax=list(self.axes_),
                label="weight",
                shrink=0.8,
                extend="both" if largest > look["vmax"] else "neither",
            )
        show_text_as_it_is(self.axes_)
        return self


def _choose_units(coef: np.ndarray, units: Sequence[int] | None, most: int = 20) -> list[int]:
    n_units = coef.shape[1]
    if units is None:
        norms = np.linalg.norm(coef, axis=0)
        return sorted(np.argsort(-norms, kind="stable")[:most].tolist())
    wrong = [unit for unit in units if not 0 <= unit < n_units]
    if wrong or not len(units):
        raise ValueError(
            f"units must be numbers from 0 to {n_units - 1}, one at least; got {list(units)!r}."
        )
    return [int(unit) for unit in units]


def _get_unit_names(network: Model, chosen: list[int], n_units: int) -> list[str]:
    """Return the class that a unit stands for, where there is a unit for each."""
    classes = getattr(network, "classes_", None)
    is_output = hasattr(network, "coef_") or len(network.coefs_) == 1
    if is_output and classes is not None and len(classes) == n_units:
        return [str(classes[unit]) for unit in chosen]
    return [f"unit {unit}" for unit in chosen]
