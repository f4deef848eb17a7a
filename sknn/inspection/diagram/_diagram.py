"""Layout of the diagram of a network: lines, circles and texts on a sheet.

Lengths are in points, x to the right, y upwards. matplotlib and SVG draw the same sheet. Nothing
relies on the colour of the background: lines end at the circles, and leave a gap for their text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import hypot

import numpy as np

from sknn.inspection.diagram._style import shorten

#: width of an average character, as a share of the font's size
CHARACTER = 0.58
#: of a line, for a weight of 0 and for the largest of its layer
LINE_WIDTHS = (0.25, 3.0)
#: lines to a layer, above which they have no numbers
MOST_NUMBERS = 12
#: share of the width that names beside inputs and outputs take at most; longer ones stick out
MOST_FOR_NAMES = 0.5
#: of a node that puts out the largest value of its layer
OPACITY_OF_NODE = 0.4


@dataclass(frozen=True)
class DrawnNetwork:
    """Content of a diagram.

    Attributes
    ----------
    coefs : list of ndarray of shape (n_before, n_units)
    intercepts : list of ndarray of shape (n_units,)
    activations : list of str
        Name of the activation of each layer but the inputs; may be empty text.
    node_names : list of lists of str
        Names in the nodes of all layers, inputs first.
    values : list of ndarray of shape (n_nodes,) or None
        Output of each node, inputs first.
    feature_names, class_names : list of str or None
        Names beside inputs and outputs.
    """

    coefs: list[np.ndarray]
    intercepts: list[np.ndarray]
    activations: list[str]
    node_names: list[list[str]]
    values: list[np.ndarray] | None
    feature_names: list[str] | None
    class_names: list[str] | None

    @property
    def sizes(self) -> list[int]:
        """Numbers of nodes of all layers."""
        return [len(names) for names in self.node_names]


@dataclass(frozen=True)
class Line:
    """The connection of two nodes, or a part of it; `sign` is 1 or -1, `title` what it is."""

    start: tuple[float, float]
    end: tuple[float, float]
    width: float
    sign: int
    opacity: float
    title: str


@dataclass(frozen=True)
class Circle:
    """A node; the fill is that of a sign, 0 for none, with an opacity."""

    center: tuple[float, float]
    radius: float
    sign: int
    opacity: float
    title: str


@dataclass(frozen=True)
class Text:
    """A text; `align` is 'left', 'center' or 'right', vertically it is centred."""

    position: tuple[float, float]
    text: str
    size: float
    align: str = "center"


@dataclass(frozen=True)
class Sheet:
    """A finished drawing; lines are listed by the layer they lead to, those of the key apart."""

    width: float
    height: float
    lines: list[list[Line]]
    circles: list[Circle]
    texts: list[Text] = field(default_factory=list)
    key: list[Line] = field(default_factory=list)


def choose_shown_nodes(n: int, most: int) -> tuple[list[int], int]:
    """Return the nodes of a layer that are shown, and how many are left out in the middle."""
    if n <= most:
        return list(range(n)), 0
    first, last = most // 2, (most - 1) // 2  # with the gap between them
    return [*range(first), *range(n - last, n)], n - first - last


def measure_text(text: str, size: float) -> float:
    """Return about how wide a text is, in points."""
    return CHARACTER * size * len(text)


class Layout:
    """The places of nodes on a sheet.

    Parameters
    ----------
    network : DrawnNetwork
    width, height : float
        Size of the sheet, in points.
    font_size : float
        Size of names, in points; other texts are smaller.
    max_nodes : int
        Places in a column.
    """

    def __init__(
        self,
        network: DrawnNetwork,
        width: float,
        height: float,
        *,
        font_size: float,
        max_nodes: int,
    ):
        self.network, self.width, self.height = network, width, height
        self.font, self.small = font_size, 0.85 * font_size
        self.shown = [choose_shown_nodes(n, max_nodes) for n in network.sizes]
        n_places = max(len(nodes) + (left_out > 0) for nodes, left_out in self.shown)
        self.bottom = 4.9 * font_size  # captions and the key of the colours
        self.place = (height - self.bottom) / n_places  # height of one
        left, right = (
            max((measure_text(name, font_size) for name in names or []), default=0.0)
            for names in self._get_side_names()
        )
        # names that would fill the width leave the nodes at least as much of it
        fits = min(1.0, MOST_FOR_NAMES * width / (left + right)) if left + right else 1.0
        left, right = fits * left, fits * right
        captions = max(
            measure_text(text, font_size) for pair in self.make_captions() for text in pair
        )
        margins = [max(side + 0.6 * font_size, 0.5 * captions - 10) for side in (left, right)]
        margins = [min(margin, 0.4 * width) for margin in margins]
        between = (width - sum(margins)) / max(len(self.shown) - 0.6, 1)
        texts = 2.8 * self.small if network.values is not None else 1.4 * self.small
        # Where there is room, a node leaves some for the texts above and below it; else texts are
        # left out and nodes nearly touch.
        room = 0.5 * (self.place - texts) if self.place > 4.5 * font_size else 0.4 * self.place
        smallest = min(3.0, 0.02 * width)
        self.radius = max(smallest, min(room, 0.16 * between, 1.7 * font_size))
        free = width - sum(margins) - 2 * self.radius
        self.between = free / (len(self.shown) - 1)
        self.x = [margins[0] + self.radius + i * self.between for i in range(len(self.shown))]

    def _get_side_names(self) -> tuple[list[str], list[str]]:
        left, right = (
            [] if names is None else [names[node] for node in self.shown[layer][0]]
            for names, layer in ((self.network.feature_names, 0), (self.network.class_names, -1))
        )
        return left, right

    def make_captions(self) -> list[tuple[str, str]]:
        """Return two lines of text for each column."""
        sizes, last = self.network.sizes, len(self.network.coefs)
        lines = []
        for layer, n in enumerate(sizes):
            name = "inputs" if layer == 0 else "output" if layer == last else f"hidden {layer}"
            function = self.network.activations[layer - 1] if layer else ""
            lines.append((name, f"{n:,} {function}".replace(",", "\N{THIN SPACE}").strip()))
        return lines

    def compute_height(self, layer: int, place: float) -> float:
        """Return the height of a place in a column, counted from its top."""
        nodes, left_out = self.shown[layer]
        n_places = len(nodes) + (left_out > 0)
        middle = self.bottom + (self.height - self.bottom) / 2
        return middle + ((n_places - 1) / 2 - place) * self.place

    def place_nodes(self, layer: int) -> Iterator[tuple[int, tuple[float, float]]]:
        """Yield number and centre of each node that is shown in a column."""
        nodes, left_out = self.shown[layer]
        for i, node in enumerate(nodes):
            after_gap = left_out > 0 and node != i
            yield node, (self.x[layer], self.compute_height(layer, i + after_gap))

    def place_gap(self, layer: int) -> tuple[float, float] | None:
        """Return the centre of the gap of a column, None if it has none."""
        nodes, left_out = self.shown[layer]
        above = sum(node == i for i, node in enumerate(nodes))
        return (self.x[layer], self.compute_height(layer, above)) if left_out else None


def draw(layout: Layout) -> Sheet:
    """Return the drawing of a network in a layout."""
    layers = range(len(layout.network.sizes))
    sheet = Sheet(layout.width, layout.height, [], [])
    for layer in layers[1:]:
        sheet.lines.append(list(_make_lines(layout, layer, sheet.texts)))
    for layer in layers:
        for node, center in layout.place_nodes(layer):
            sheet.circles.append(_make_circle(layout, layer, node, center))
            sheet.texts.extend(_make_node_texts(layout, layer, node, center))
        if (gap := layout.place_gap(layer)) is not None:
            _draw_gap(layout, layer, gap, sheet)
        for text, lines_up in zip(layout.make_captions()[layer], (3.6, 2.4), strict=True):
            sheet.texts.append(Text((layout.x[layer], lines_up * layout.font), text, layout.font))
    return sheet


def _make_lines(layout: Layout, layer: int, texts: list[Text]) -> Iterator[Line]:
    """Yield the lines to a layer; append their numbers to the texts where there is room."""
    coef, names = layout.network.coefs[layer - 1], layout.network.node_names
    before, after = list(layout.place_nodes(layer - 1)), list(layout.place_nodes(layer))
    used = coef[np.ix_([i for i, _ in before], [j for j, _ in after])]
    largest = np.abs(used).max() or 1.0
    n_lines = np.count_nonzero(used)
    at, room = _place_numbers(len(before), len(after))
    beside_node = min(at, 1 - at) * layout.between - layout.radius
    with_numbers = (
        n_lines <= MOST_NUMBERS
        and room * layout.place >= 1.25 * layout.small
        and beside_node > measure_text("-0.55", layout.small)
    )
    for i, start in before:
        for j, end in after:
            weight = float(coef[i, j])
            if weight == 0:
                continue
            share = abs(weight) / largest
            width = LINE_WIDTHS[0] + (LINE_WIDTHS[1] - LINE_WIDTHS[0]) * share
            opacity = 0.9 if n_lines <= 40 else 0.25 + 0.65 * share
            title = f"{names[layer - 1][i]} to {names[layer][j]}: weight {weight:.4g}"
            line = Line(start, end, width, 1 if weight > 0 else -1, opacity, title)
            number = Text(_interpolate(start, end, at), shorten(weight), layout.small)
            if with_numbers:
                texts.append(number)
            yield from _split_line(line, layout.radius, number if with_numbers else None)


def _place_numbers(n_before: int, n_after: int) -> tuple[float, float]:
    """Return how far along the lines numbers do not meet, and how far apart, in places."""
    # Lines join places i and j, counted from 0. At a share t of the way their heights are
    # (1 - t) i + t j: different, and evenly spaced, for t = 1 / (n_after + 1), or from the other
    # end for t = 1 - 1 / (n_before + 1).
    if n_after <= n_before:
        return 1 / (n_after + 1), 1 / (n_after + 1)
    return 1 - 1 / (n_before + 1), 1 / (n_before + 1)


def _split_line(line: Line, radius: float, number: Text | None) -> Iterator[Line]:
    """Yield a line from circle to circle, in two parts if a number stands in its way."""
    length = hypot(line.end[0] - line.start[0], line.end[1] - line.start[1])
    first, last = radius / length, 1 - radius / length
    pieces = [(first, last)]
    if number is not None:
        # The line is cut around its number, by the number's width along x.
        at = (number.position[0] - line.start[0]) / (line.end[0] - line.start[0])
        half = (0.5 * measure_text(number.text, number.size) + 1.5) / (line.end[0] - line.start[0])
        pieces = [(first, at - half), (at + half, last)]
    for start, end in pieces:
        if end > start:
            ends = (
                _interpolate(line.start, line.end, start),
                _interpolate(line.start, line.end, end),
            )
            yield Line(*ends, line.width, line.sign, line.opacity, line.title)


def _interpolate(
    start: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    x, y = (float(a + share * (b - a)) for a, b in zip(start, end, strict=True))
    return x, y


def _make_circle(layout: Layout, layer: int, node: int, center: tuple[float, float]) -> Circle:
    network = layout.network
    title = f"node {network.node_names[layer][node]}"
    if layer:
        title += f", bias {network.intercepts[layer - 1][node]:.4g}"
    if network.values is None:
        return Circle(center, layout.radius, 0, 0.0, title)
    values = network.values[layer]
    value, largest = float(values[node]), float(np.abs(values).max()) or 1.0
    opacity = OPACITY_OF_NODE * abs(value) / largest
    title += f", output {value:.4g}"
    return Circle(center, layout.radius, int(np.sign(value)), opacity, title)


def _make_node_texts(
    layout: Layout, layer: int, node: int, center: tuple[float, float]
) -> Iterator[Text]:
    network, font, (x, y) = layout.network, layout.font, center
    name = network.node_names[layer][node]
    inside = name if network.values is None else shorten(float(network.values[layer][node]))
    if inside:
        fitting = 1.6 * layout.radius / (CHARACTER * len(inside))
        yield Text(center, inside, min(font, max(fitting, 4.5)))
    small = layout.small
    off = layout.radius + 0.7 * small
    roomy = layout.place > 2 * layout.radius + small
    if network.values is not None and name and roomy:
        yield Text((x, y + off), name, small)
    if layer and roomy:
        intercept = float(network.intercepts[layer - 1][node])
        step = network.activations[layer - 1] == "heaviside"
        text = f"θ = {shorten(-intercept)}" if step else f"b = {shorten(intercept)}"
        yield Text((x, y - off), text, small)
    beside = layout.radius + 0.4 * font
    if layer == 0 and network.feature_names is not None:
        yield Text((x - beside, y), network.feature_names[node], font, "right")
    if layer == len(network.coefs) and network.class_names is not None:
        yield Text((x + beside, y), network.class_names[node], font, "left")


def _draw_gap(layout: Layout, layer: int, gap: tuple[float, float], sheet: Sheet) -> None:
    (x, y), left_out = gap, layout.shown[layer][1]
    dot = max(1.0, 0.1 * layout.radius)
    for up in (0.75, 0.45, 0.15):
        center = (x, y + up * layout.font)
        sheet.circles.append(Circle(center, dot, 0, 1.0, f"{left_out} nodes left out"))
    sheet.texts.append(Text((x, y - 0.75 * layout.font), f"{left_out} more", layout.small))
