"""A network as nodes and lines."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._files import write_file
from sknn._optional import require
from sknn._validation import MatrixLike, check_layers_say_all
from sknn.inspection._forward_pass import forward_pass
from sknn.inspection._reading import Model, apply_steps, read_layers, read_names, unwrap
from sknn.inspection.diagram._diagram import DrawnNetwork, Layout, Line, Sheet, Text, draw
from sknn.inspection.diagram._panels import check_axes, show_text_as_it_is
from sknn.inspection.diagram._style import NEGATIVE, POSITIVE
from sknn.inspection.diagram._svg import write_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection

_INCH = 72  # points
_KEY = 26  # width of the key of the colours, in sizes of its font


class NetworkDiagramDisplay:
    """Nodes and connections of a network: units, perceptrons, threshold and deep networks.

    The width of a line follows the size of its weight, compared with the others of its layer.
    Positive weights are blue, negative ones are orange, and weights of 0 have no line. A unit's
    bias b stands beneath it, or its threshold θ if its activation is a step. With an example,
    nodes show their outputs, larger ones in a stronger colour. Layers with too many nodes show the
    first and the last ones.

    Make it with `from_estimator`.

    Parameters
    ----------
    coefs : sequence of array-like of shape (n_before, n_units)
        Weights of each layer.
    intercepts : sequence of array-like of shape (n_units,)
        Biases of each layer.
    activations : sequence of str or None, default=None
        Name of each layer's function.
    node_names : sequence of sequences of str or None, default=None
        Names of the nodes of each layer, inputs first. None numbers them from 1 on, through all
        layers, as `sknn.inspection.forward_pass` does.
    values : sequence of array-like of shape (n_nodes,) or None, default=None
        Output of each node, inputs first.
    feature_names, class_names : sequence of str or None, default=None
        Names beside the inputs and the outputs.

    Attributes
    ----------
    coefs, intercepts, activations, node_names, values, feature_names, class_names
        The parameters, as lists and arrays.
    ax_ : matplotlib Axes
        Axes with the diagram; its units are points.
    figure_ : matplotlib Figure
        Figure that contains the Axes.
    edges_ : list of LineCollection
        The connections to each layer but the first.
    nodes_ : PatchCollection
        The nodes that are shown, and the dots for others.
    texts_ : list of matplotlib Text
        All names and numbers.

    Raises
    ------
    ValueError
        If shapes, names or values do not fit together.

    See Also
    --------
    sknn.inspection.forward_pass : The values of all nodes as numbers.

    References
    ----------
    .. [1] LeNail, A. (2019). "NN-SVG: Publication-ready neural network architecture schematics."
       Journal of Open Source Software 4(33), 747. doi:10.21105/joss.00747

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sknn.inspection import NetworkDiagramDisplay
    >>> from sknn.threshold import ThresholdNetwork
    >>> xor = ThresholdNetwork.from_expression("(a or b) and not (a and b)")
    >>> display = NetworkDiagramDisplay.from_estimator(xor, [[0, 1]])
    >>> display.values[-1]
    array([1.])
    >>> display.to_svg().count("<line")  # each is in two parts, beside its number
    14
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        coefs: Sequence[Any],
        intercepts: Sequence[Any],
        *,
        activations: Sequence[str] | None = None,
        node_names: Sequence[Sequence[str]] | None = None,
        values: Sequence[Any] | None = None,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ):
        self.coefs = [np.asarray(coef, dtype=float) for coef in coefs]
        self.intercepts = [np.asarray(b, dtype=float) for b in intercepts]
        sizes = _check_shapes(self.coefs, self.intercepts)
        n_layers = len(self.coefs)
        self.activations = read_names(activations or [""] * n_layers, n_layers, "activations")
        if node_names is None:
            numbers = iter(range(1, sum(sizes) + 1))
            node_names = [[str(next(numbers)) for _ in range(n)] for n in sizes]
        self.node_names = [
            read_names(names, n, f"names of nodes in layer {i}")
            for i, (names, n) in enumerate(zip(node_names, sizes, strict=True))
        ]
        self.values = None if values is None else [np.ravel(v).astype(float) for v in values]
        if self.values is not None and [len(v) for v in self.values] != sizes:
            raise ValueError(
                f"values must have one for each of the {sizes} nodes, got "
                f"{[len(v) for v in self.values]}."
            )
        self.feature_names, self.class_names = (
            None if names is None else read_names(names, n, f"names of {what}")
            for names, n, what in (
                (feature_names, sizes[0], "features"),
                (class_names, sizes[-1], "outputs"),
            )
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: MatrixLike | None = None,
        *,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        max_nodes: int = 8,
        ax: "Axes | None" = None,
        draw: bool = True,
    ) -> "NetworkDiagramDisplay":
        """Draw a fitted estimator, a unit or a network of units.

        Parameters
        ----------
        estimator : object
            Estimator with ``coefs_`` and ``intercepts_``, such as `DeepMLPClassifier`,
            `ThresholdNetwork` and scikit-learn's MLPs; or with ``coef_`` and ``intercept_``, such
            as `PerceptronClassifier` and `ThresholdUnit`; or a pipeline or search that holds one.
            The inputs of a network that encodes data frames are the encoded columns.
        X : {array-like, dataframe} of shape (1, n_features) or None, default=None
            Sample whose values in all nodes are shown.
        feature_names : sequence of str or None, default=None
            Names beside the inputs; None means those the estimator was fitted with, if any.
        class_names : sequence of str or None, default=None
            Names beside the outputs, one for each, or one for each of two classes with a single
            output; None means the classes.
        max_nodes : int, default=8
            Maximum number of nodes shown in a layer, at least 3.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        draw : bool, default=True
            Whether to draw with matplotlib at once. If not, `to_svg` and notebooks show the
            diagram as SVG, for which matplotlib is not needed.

        Returns
        -------
        NetworkDiagramDisplay

        Raises
        ------
        ValueError
            If the estimator is no such network, or has normalization, residual connections,
            embeddings or a module of its own, which a diagram would hide; if X is not a single
            row for it, or names are not one for each.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        transformers, network = unwrap(estimator)
        if hasattr(network, "coefs_"):
            check_layers_say_all(network, cls.__name__)
        layers = read_layers(network, cls.__name__)
        values = None
        if X is not None:
            passed = forward_pass(network, apply_steps(transformers, X))
            if len(passed.inputs) != 1:
                raise ValueError(
                    f"X must be a single sample, got {len(passed.inputs)}. Give one, such as X[:1]."
                )
            values = [passed.inputs, *(layer.activations for layer in passed.layers)]
        names = getattr(network, "_input_names", getattr(network, "feature_names_in_", None))
        units = getattr(network, "unit_names", None)
        own_names = None if units is None or names is None else [list(names), *units]
        if feature_names is None and names is not None and own_names is None:
            feature_names = list(names)
        if class_names is None:
            class_names = getattr(network, "classes_", None)
        display = cls(
            layers.coefs,
            layers.intercepts,
            activations=layers.activations,
            node_names=own_names,
            values=values,
            feature_names=feature_names,
            class_names=_select_class_names(class_names, layers.coefs[-1].shape[1]),
        )
        return display.plot(ax, max_nodes=max_nodes) if draw else display

    def plot(self, ax: "Axes | None" = None, *, max_nodes: int = 8) -> "NetworkDiagramDisplay":
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure of a size that fits. An Axes should have its
            final size, as sizes of nodes are found for it.
        max_nodes : int, default=8
            Maximum number of nodes shown in a layer, at least 3.

        Returns
        -------
        NetworkDiagramDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `max_nodes` is below 3.
        """
        purpose = f"{type(self).__name__}.plot"
        plt, collections = (
            require(f"matplotlib.{name}", purpose) for name in ("pyplot", "collections")
        )
        check_axes(ax, purpose)
        if ax is None:
            size = [length / _INCH for length in self._choose_size(max_nodes)]
            ax = plt.figure(figsize=size).add_axes((0, 0, 1, 1))
        box = ax.get_window_extent()
        width, height = (length * _INCH / ax.figure.dpi for length in (box.width, box.height))
        font_size = 0.85 * plt.rcParams["font.size"]
        sheet = self._draw_sheet(width, height, font_size, max_nodes)
        ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        ax.set_axis_off()
        self.edges_ = [
            ax.add_collection(_make_line_collection(lines, collections.LineCollection))
            for lines in sheet.lines
        ]
        ax.add_collection(_make_line_collection(sheet.key, collections.LineCollection))
        self.nodes_ = ax.add_collection(_make_circles(sheet, plt, collections.PatchCollection))
        self.texts_ = [
            ax.text(*t.position, t.text, fontsize=t.size, ha=t.align, va="center_baseline")
            for t in sheet.texts
        ]
        self.ax_, self.figure_ = ax, ax.figure
        show_text_as_it_is([ax])
        return self

    def to_svg(
        self,
        path: str | PathLike | None = None,
        *,
        size: tuple[float, float] | None = None,
        max_nodes: int = 8,
    ) -> str:
        """Return the diagram as SVG for a web page, and write it to a file.

        It has the colours of the page around it, light or dark; pointing at a line or a node
        shows its numbers. matplotlib is not needed, also not for
        ``from_estimator(..., draw=False)``.

        Parameters
        ----------
        path : str, path-like or None, default=None
            File to write; None writes none.
        size : tuple of float or None, default=None
            Width and height in pixels; None means a size that fits.
        max_nodes : int, default=8
            Maximum number of nodes shown in a layer, at least 3.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If `max_nodes` is below 3.
        """
        width, height = self._choose_size(max_nodes) if size is None else size
        sheet = self._draw_sheet(width, height, 9.0, max_nodes)
        text = write_svg(
            sheet, "network of " + "-".join(map(str, self._make_network().sizes)) + " nodes"
        )
        if path is not None:
            write_file(path, text)
        return text

    def _repr_html_(self) -> str | None:
        """Return the diagram as SVG for notebooks, unless matplotlib shows it already."""
        return None if hasattr(self, "figure_") else self.to_svg()

    def _make_network(self) -> DrawnNetwork:
        return DrawnNetwork(
            self.coefs,
            self.intercepts,
            self.activations,
            self.node_names,
            self.values,
            self.feature_names,
            self.class_names,
        )

    def _choose_size(self, max_nodes: int) -> tuple[float, float]:
        """Return width and height of a new picture in points."""
        sizes = self._make_network().sizes
        n_places = min(max(sizes), max_nodes)
        return 110.0 * max(3, len(sizes) + 0.6), 50.0 * max(2, n_places) + 45

    def _draw_sheet(self, width: float, height: float, font_size: float, max_nodes: int) -> Sheet:
        if max_nodes < 3:
            raise ValueError(f"max_nodes must be at least 3, got {max_nodes!r}.")
        font_size = min(font_size, width / _KEY)
        sheet = draw(
            Layout(self._make_network(), width, height, font_size=font_size, max_nodes=max_nodes)
        )
        _add_key(sheet, font_size)
        return sheet


def _add_key(sheet: Sheet, font: float) -> None:
    """Add what the colours mean, at the bottom."""
    middle, y = sheet.width / 2, 0.8 * font
    for left, sign, text in (
        (middle - 12 * font, 1, "positive weight"),
        (middle + font, -1, "negative weight"),
    ):
        sheet.key.append(Line((left, y), (left + 2 * font, y), 2.0, sign, 0.9, text))
        sheet.texts.append(Text((left + 2.5 * font, y), text, font, "left"))


def _make_line_collection(
    lines: Sequence[Line], collection: "Callable[..., Collection]"
) -> "Collection":
    return collection(
        [(line.start, line.end) for line in lines],
        linewidths=[line.width for line in lines],
        colors=[POSITIVE if line.sign > 0 else NEGATIVE for line in lines],
        alpha=[line.opacity for line in lines] or None,
        zorder=1,
    )


def _make_circles(
    sheet: Sheet, plt: ModuleType, collection: "Callable[..., Collection]"
) -> "Collection":
    outline = plt.rcParams["text.color"]
    fills: Mapping[int, str] = {1: POSITIVE, -1: NEGATIVE, 0: outline}
    to_rgba = require("matplotlib.colors", "NetworkDiagramDisplay.plot").to_rgba
    return collection(
        [plt.Circle(circle.center, circle.radius) for circle in sheet.circles],
        facecolors=[to_rgba(fills[circle.sign], circle.opacity) for circle in sheet.circles],
        edgecolors=outline,
        linewidths=1.0,
        zorder=2,
    )


def _select_class_names(names: Iterable[str] | None, n_outputs: int) -> list[str] | None:
    if names is None:
        return None
    names = [str(name) for name in names]
    return names[1:] if len(names) == 2 and n_outputs == 1 else names


def _check_shapes(coefs: list[np.ndarray], intercepts: list[np.ndarray]) -> list[int]:
    """Return the numbers of nodes in all layers."""
    sizes = [len(coefs[0])] if coefs else []
    shapes = [coef.shape for coef in coefs], [b.shape for b in intercepts]
    for coef, intercept in zip(coefs, intercepts, strict=False):
        if coef.ndim != 2 or len(coef) != sizes[-1] or intercept.shape != (coef.shape[1],):
            sizes = []
            break
        sizes.append(coef.shape[1])
    if not sizes or len(coefs) != len(intercepts):
        raise ValueError(
            "Each layer needs weights of shape (n_before, n_units), with n_before the units of "
            f"the layer before, and n_units biases; got shapes {shapes[0]} and {shapes[1]}."
        )
    return sizes
