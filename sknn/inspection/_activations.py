"""Activation functions and their derivatives."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from sknn.activations import ACTIVATIONS, Activation, resolve_activation
from sknn.inspection._reading import Model, read_layers, unwrap
from sknn.inspection.diagram._panels import make_panels, show_text_as_it_is
from sknn.inspection.diagram._style import make_line_styles, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("value", "derivative")

#: a step between two of the points, as a share of the range, that is a jump
_JUMP = 0.2


class ActivationDisplay:
    """Activation functions beside their derivatives, or one function of ``w t + b``.

    Make it with `from_names` to compare functions, with `from_weights_and_biases` to see what
    weight and bias do to a unit, or with `from_estimator` for those of a network.

    Parameters
    ----------
    t : array-like of float of shape (n_points,)
        Points at which the functions were evaluated.
    values : mapping of str to array-like of float of shape (n_points,)
        Functions, by their names in the legend.
    derivatives : mapping of str to array-like of float of shape (n_points,) or None, default=None
        Their derivatives by t, under the same names; None if there are none to draw.
    x_label : str, default='t'
        Label of the horizontal axis.
    y_label : str, default='σ(t)'
        Label of the vertical axis.

    Attributes
    ----------
    t, values, derivatives, x_label, y_label
        The parameters, as arrays.
    ax_ : matplotlib Axes or None
        Axes with the curves; with two panels the Axes that they divide up.
    axes_ : ndarray of Axes of shape (n_panels,)
        The panels.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    lines_ : list of Line2D
        The functions, then their derivatives.

    Raises
    ------
    ValueError
        If a curve has not an entry for each point, or names of functions and derivatives differ.

    See Also
    --------
    sknn.activations.ACTIVATIONS : The functions.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sknn.inspection import ActivationDisplay
    >>> display = ActivationDisplay.from_names(["heaviside", "logistic", "tanh", "relu"])
    >>> float(display.derivatives["logistic"].max())
    0.25
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        t: ArrayLike,
        values: Mapping[str, Any],
        derivatives: Mapping[str, Any] | None = None,
        *,
        x_label: str = "t",
        y_label: str = "σ(t)",
    ):
        self.t = np.asarray(t, dtype=float)
        self.values = self._check_curves(values)
        self.derivatives = None if derivatives is None else self._check_curves(derivatives)
        if self.derivatives is not None and list(self.derivatives) != list(self.values):
            raise ValueError(
                f"Each function needs its derivative under its own name; got {list(self.values)} "
                f"and {list(self.derivatives)}."
            )
        self.x_label, self.y_label = x_label, y_label

    def _check_curves(self, curves: Mapping[str, Any]) -> dict[str, np.ndarray]:
        arrays = {str(name): np.asarray(curve, dtype=float) for name, curve in curves.items()}
        for name, curve in arrays.items():
            if curve.shape != self.t.shape:
                raise ValueError(
                    f"{name!r} must have a value for each of the {len(self.t)} points, got an "
                    f"array of shape {curve.shape}."
                )
        return arrays

    @classmethod
    def from_names(
        cls,
        names: str | Sequence[str] = ("heaviside", "sign", "logistic", "tanh", "relu"),
        *,
        limits: tuple[float, float] = (-4.0, 4.0),
        kind: str = "both",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> "ActivationDisplay":
        """Draw functions of the table of activations.

        Parameters
        ----------
        names : str or sequence of str, default=('heaviside', 'sign', 'logistic', 'tanh', 'relu')
            Keys of `sknn.activations.ACTIVATIONS`, at least one.
        limits : tuple of float, default=(-4.0, 4.0)
            Smallest and largest t.
        kind : {'value', 'derivative', 'both'}, default='both'
            Curves to draw; ``'both'`` makes two panels.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to draw on; None makes a new figure.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        ActivationDisplay

        Raises
        ------
        ValueError
            If there is no such activation.
        """
        t = _make_points(limits)
        names = [names] if isinstance(names, str) else names
        functions = {name: _find_activation(name) for name in names}
        display = cls(
            t,
            {name: function.value(t) for name, function in functions.items()},
            {name: function.derivative(t) for name, function in functions.items()},
        )
        return display.plot(ax, kind=kind, line_kw=line_kw)

    @classmethod
    def from_weights_and_biases(
        cls,
        activation: str = "logistic",
        *,
        weights: Sequence[float] = (1.0,),
        biases: Sequence[float] = (0.0,),
        limits: tuple[float, float] = (-10.0, 10.0),
        kind: str = "value",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> "ActivationDisplay":
        """Draw σ(w t + b) for each weight w with each bias b.

        Parameters
        ----------
        activation : str, default='logistic'
            Key of `sknn.activations.ACTIVATIONS`.
        weights, biases : sequence of float, default=(1.0,), (0.0,)
            Each weight is drawn with each bias.
        limits : tuple of float, default=(-10.0, 10.0)
            Smallest and largest t.
        kind : {'value', 'derivative', 'both'}, default='value'
            Curves to draw; ``'both'`` makes two panels.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to draw on; None makes a new figure.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        ActivationDisplay

        Raises
        ------
        ValueError
            If there is no such activation.
        """
        t, function = _make_points(limits), _find_activation(activation)
        values, derivatives = {}, {}
        for w in weights:
            for b in biases:
                parts = [f"w = {shorten(w)}"] * (len(weights) > 1 or len(biases) == 1)
                parts += [f"b = {shorten(b)}"] * (len(biases) > 1)
                label = ", ".join(parts)
                values[label] = function.value(w * t + b)
                # By x, not by the sum: d/dx f(w x + b) = w f'(w x + b).
                derivatives[label] = w * function.derivative(w * t + b)
        display = cls(t, values, derivatives, x_label="x", y_label=f"{activation}(w x + b)")
        return display.plot(ax, kind=kind, line_kw=line_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        *,
        limits: tuple[float, float] = (-4.0, 4.0),
        kind: str = "both",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kw: Mapping[str, Any] | None = None,
    ) -> "ActivationDisplay":
        """Draw the activations of a fitted network, each once, from the inputs on.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with ``activation`` and ``out_activation_``, or with ``step``. A
            softmax, which is not a function of a single number, and functions of your own are left
            out.
        limits : tuple of float, default=(-4.0, 4.0)
            Smallest and largest t.
        kind : {'value', 'derivative', 'both'}, default='both'
            Curves to draw; ``'both'`` makes two panels.
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to draw on; None makes a new figure.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        ActivationDisplay

        Raises
        ------
        ValueError
            If the estimator is no such network.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        _, network = unwrap(estimator)
        used = read_layers(network, "ActivationDisplay").activations
        names = [name for name in dict.fromkeys(used) if name in ACTIVATIONS]
        if not names:
            raise ValueError(
                f"{type(network).__name__} has no activations of a single number, but {used}."
            )
        return cls.from_names(names, limits=limits, kind=kind, ax=ax, line_kw=line_kw)

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        kind: str = "both",
        line_kw: Mapping[str, Any] | None = None,
    ) -> "ActivationDisplay":
        """Draw the functions.

        Parameters
        ----------
        ax : matplotlib Axes, sequence of Axes, or None, default=None
            Axes to draw on; None makes a new figure.
        kind : {'value', 'derivative', 'both'}, default='both'
            Curves to draw; ``'both'`` makes two panels.
        line_kw : mapping or None, default=None
            Further arguments for ``ax.plot``.

        Returns
        -------
        ActivationDisplay
            The display itself.

        Raises
        ------
        ValueError
            If there is no such kind, or there are no derivatives to draw.
        """
        if kind not in (*KINDS, "both"):
            raise ValueError(f"kind must be one of {[*KINDS, 'both']}, got {kind!r}.")
        kinds = KINDS if kind == "both" else (kind,)
        derivatives = {} if self.derivatives is None else self.derivatives
        if "derivative" in kinds and self.derivatives is None:
            raise ValueError("There are no derivatives to draw. Use kind='value'.")
        purpose = f"{type(self).__name__}.plot"
        self.ax_, self.axes_ = make_panels(
            ax, len(kinds), 2, size=(3.8, 3.2), purpose=purpose, gap=0.06
        )
        self.figure_ = self.axes_[0].figure
        self.lines_ = []
        for axis, drawn in zip(self.axes_, kinds, strict=True):
            curves = self.values if drawn == "value" else derivatives
            for (name, curve), style in zip(curves.items(), _make_styles(len(curves)), strict=True):
                look = {**style, "label": name, **(line_kw or {})}
                self.lines_ += axis.plot(*_split_at_jumps(self.t, curve), **look)
            derivative = f"derivative by {self.x_label}"
            axis.set(xlabel=self.x_label, ylabel=self.y_label if drawn == "value" else derivative)
        self.axes_[-1].legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        show_text_as_it_is(self.axes_)
        return self


def _make_styles(n: int) -> list[dict[str, Any]]:
    """Return styles whose dashes differ too: steps and derivatives lie on each other."""
    dashes = ("-", (0, (6, 2)), (0, (4, 1.5, 1, 1.5)), (0, (1.5, 1)), (0, (8, 1.5)))
    return [
        {**style, "linestyle": dashes[i % len(dashes)]}
        for i, style in enumerate(make_line_styles(n))
    ]


def _split_at_jumps(t: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve with a gap where it jumps: a vertical line would be values it never has."""
    steps = np.abs(np.diff(curve))
    # a steep but continuous curve is steep two points before and after as well
    around = np.maximum(np.r_[0.0, 0.0, steps[:-2]], np.r_[steps[2:], 0.0, 0.0])
    at = 1 + np.flatnonzero((steps > _JUMP * np.ptp(curve)) & (steps > 10 * around))
    return np.insert(t, at, t[at]), np.insert(curve, at, np.nan)


def _make_points(limits: tuple[float, float]) -> np.ndarray:
    return np.linspace(*limits, 801)


def _find_activation(name: str) -> Activation:
    key = resolve_activation(name)
    if key not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {name!r}.")
    return ACTIVATIONS[key]
