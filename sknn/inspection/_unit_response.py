"""Display of the outputs of units over one or two inputs."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import MatrixLike, NamedColumns
from sknn.inspection._forward_pass import forward_pass
from sknn.inspection._reading import Model, apply_steps, get_input_names, read_names, unwrap
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.inspection.diagram._style import COLORS
from sknn.threshold import ThresholdNetwork

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class UnitResponseDisplay:
    """Output of each unit of a layer over the line or the plane of the inputs.

    Small multiples, one for each unit, with one scale. For decision boundaries of whole
    classifiers see `sklearn.inspection.DecisionBoundaryDisplay`.

    Make it with `from_estimator`.

    Parameters
    ----------
    grid : list of ndarray
        Grid ``[x]`` of one input, or ``[x0, x1]`` of two, each of shape (n_points,).
    responses : array-like of float of shape (n_units, n_points) or (n_units, n_points, n_points)
        Outputs of the units; of two inputs the second belongs to the rows of a picture.
    unit_names, feature_names : sequence of str or None, default=None
        Titles of the panels, and labels of their axes.

    Attributes
    ----------
    grid, responses, unit_names, feature_names
        The parameters, as arrays and lists.
    ax_ : matplotlib Axes or None
        Axes that the panels divide up.
    axes_ : ndarray of Axes of shape (n_units,)
        The panels.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    surfaces_ : list of QuadMesh, or of Line2D for one input
        The responses.
    colorbar_ : matplotlib Colorbar or None
        Their scale; None for one input.

    Raises
    ------
    ValueError
        If there are not one or two inputs, or shapes and names do not fit together.

    See Also
    --------
    sklearn.inspection.DecisionBoundaryDisplay : The answers of a whole estimator.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import make_moons
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.inspection import UnitResponseDisplay
    >>> X, y = make_moons(random_state=0)
    >>> mlp = DeepMLPClassifier((6,), activation="tanh", solver="lbfgs", random_state=0)
    >>> display = UnitResponseDisplay.from_estimator(mlp.fit(X, y), X)
    >>> display.responses.shape
    (6, 100, 100)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        grid: Sequence[Any],
        responses: ArrayLike,
        *,
        unit_names: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
    ):
        self.grid = [np.asarray(points, dtype=float) for points in grid]
        self.responses = np.asarray(responses, dtype=float)
        if len(self.grid) not in (1, 2):
            raise ValueError(f"grid must have one or two inputs, got {len(self.grid)}.")
        shape = tuple(len(points) for points in reversed(self.grid))
        if self.responses.shape[1:] != shape or len(self.responses) == 0:
            raise ValueError(
                f"responses must have the shape (n_units, {', '.join(map(str, shape))}), got "
                f"{self.responses.shape}."
            )
        n_units, n_inputs = len(self.responses), len(self.grid)
        unit_names = [f"unit {i}" for i in range(n_units)] if unit_names is None else unit_names
        self.unit_names = read_names(unit_names, n_units, "names of units")
        features = get_input_names(None, n_inputs) if feature_names is None else feature_names
        self.feature_names = read_names(features, n_inputs, "names of features")

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: MatrixLike,
        *,
        layer: int = 0,
        grid_resolution: int = 100,
        margin: float = 0.1,
        feature_names: Sequence[str] | None = None,
        n_columns: int = 4,
        ax: "Axes | Sequence[Axes] | None" = None,
        surface_kw: Mapping[str, Any] | None = None,
    ) -> "UnitResponseDisplay":
        """Draw the responses of the units of one layer of a fitted network.

        Parameters
        ----------
        estimator : estimator
            Estimator that was fitted on one or two features, of a kind that
            `sknn.inspection.forward_pass` takes, or a pipeline or search that holds one. A
            `ThresholdNetwork` takes 0 and 1 alone, but its units are computed at all points, to
            show the regions where they fire.
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Samples whose ranges of the features are drawn.
        layer : int, default=0
            Number of the layer, 0 for the first hidden one, -1 for the output layer.
        grid_resolution : int, default=100
            Number of points along each feature.
        margin : float, default=0.1
            Share of its range by which each feature is drawn beyond the samples of X.
        feature_names : sequence of str or None, default=None
            Labels of the axes; None means the columns of a data frame, or x1 and x2.
        n_columns : int, default=4
            Number of panels side by side.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each unit; None makes a new figure.
        surface_kw : mapping or None, default=None
            Further arguments for ``ax.pcolormesh``, or ``ax.plot`` for one input.

        Returns
        -------
        UnitResponseDisplay

        Raises
        ------
        ValueError
            If there are not one or two features, or no such layer.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        transformers, network = unwrap(estimator)
        if isinstance(network, ThresholdNetwork):
            network = _take_any_numbers(network)
            feature_names = feature_names or list(network.feature_names_in_)
        values = _check_numbers(X)
        if values.ndim != 2 or values.shape[1] not in (1, 2):
            raise ValueError(
                f"Responses are drawn over one or two features, got X of shape {values.shape}. Fit "
                "a network on two of the columns."
            )
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        beyond = margin * np.where(high > low, high - low, 1.0)
        grid = list(np.linspace(low - beyond, high + beyond, grid_resolution).T)
        points = np.column_stack([axis.ravel() for axis in np.meshgrid(*grid)])
        table: MatrixLike = points
        if isinstance(X, NamedColumns):
            make_frame: Callable[[dict], MatrixLike] = type(X)
            table = make_frame(dict(zip(X.columns, points.T, strict=True)))
            names_of = [str(name) for name in X.columns]
            feature_names = names_of if feature_names is None else feature_names
        layers = forward_pass(network, apply_steps(transformers, table)).layers
        if not -len(layers) <= layer < len(layers):
            raise ValueError(
                f"layer must be from {-len(layers)} to {len(layers) - 1}, got {layer!r}."
            )
        found = layers[layer]
        shape = (-1, *[grid_resolution] * len(grid))
        names = [f"unit {name}" if name.isdigit() else name for name in found.names]
        display = cls(
            grid,
            found.activations.T.reshape(shape),
            unit_names=names,
            feature_names=feature_names,
        )
        return display.plot(ax, n_columns=n_columns, surface_kw=surface_kw)

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        n_columns: int = 4,
        surface_kw: Mapping[str, Any] | None = None,
    ) -> "UnitResponseDisplay":
        """Draw the responses.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to divide up, or one for each unit; None makes a new figure.
        n_columns : int, default=4
            Number of panels side by side.
        surface_kw : mapping or None, default=None
            Further arguments for ``ax.pcolormesh``, or ``ax.plot`` for one input.

        Returns
        -------
        UnitResponseDisplay
            The display itself.
        """
        purpose = f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, len(self.responses), n_columns, size=(1.9, 1.9), purpose=purpose
        )
        self.figure_ = self.axes_[0].figure
        draw = self._draw_surface if len(self.grid) == 2 else self._draw_line
        self.surfaces_ = [
            draw(axis, response, dict(surface_kw or {}))
            for axis, response in zip(self.axes_, self.responses, strict=True)
        ]
        for i, (axis, name) in enumerate(zip(self.axes_, self.unit_names, strict=True)):
            axis.set_title(name, fontsize="small")
            self._label(axis, i, min(n_columns, len(self.axes_)))
        self.colorbar_ = None
        if len(self.grid) == 2:
            self.colorbar_ = self.figure_.colorbar(
                self.surfaces_[0], ax=list(self.axes_), label="output of the unit"
            )
        show_text_as_it_is(self.axes_)
        return self

    def _draw_surface(self, ax: "Axes", response: np.ndarray, look: dict[str, Any]) -> Any:
        # One scale for all units, so that one that hardly responds looks flat.
        limits = {"vmin": self.responses.min(), "vmax": self.responses.max()}
        return ax.pcolormesh(
            *self.grid, response, **{"cmap": "cividis", "rasterized": True, **limits, **look}
        )

    def _draw_line(self, ax: "Axes", response: np.ndarray, look: dict[str, Any]) -> Any:
        # All panels have one range, so that a unit that hardly responds looks flat.
        span = np.ptp(self.responses) or 1.0
        ax.set_ylim(self.responses.min() - 0.05 * span, self.responses.max() + 0.05 * span)
        return ax.plot(self.grid[0], response, **{"color": COLORS[0], **look})[0]

    def _label(self, ax: "Axes", i: int, n_columns: int) -> None:
        """Label the axes at the left and at the bottom alone; the others have the same."""
        ax.tick_params(labelsize="small")
        ax.label_outer() if ax.get_subplotspec() is not None else None
        if i + n_columns >= len(self.axes_):
            ax.set_xlabel(self.feature_names[0])
        else:
            ax.set_xticklabels([])
        if i % n_columns == 0:
            ax.set_ylabel(self.feature_names[1] if len(self.grid) == 2 else "output")
        else:
            ax.set_yticklabels([])


def _take_any_numbers(network: ThresholdNetwork) -> SimpleNamespace:
    """Return a network whose units are asked for points between 0 and 1 as well."""
    kept = ("coefs_", "intercepts_", "unit_names", "feature_names_in_")
    return SimpleNamespace(
        **{name: getattr(network, name) for name in kept},
        activation=network.activation,
        out_activation_=network.out_activation_,
    )


def _check_numbers(X: MatrixLike) -> np.ndarray:
    try:
        return np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Responses are drawn over one or two features that are numbers; got {error}. Fit a "
            "network on such columns."
        ) from error
