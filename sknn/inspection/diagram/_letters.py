"""Letters as shapes that can be stretched, for logos and maps of sequences."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._optional import require
from sknn.inspection.diagram._style import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: blue, orange, green, pink: colours of bases that colour-blind readers can tell apart;
#: A green, C blue, G orange and T red-like as in most logos
LETTER_COLORS = {"A": COLORS[2], "C": COLORS[0], "G": COLORS[1], "T": COLORS[3], "U": COLORS[3]}
#: of other letters
OTHER_COLOR = COLORS[4]
#: width of a letter, of the place that it has
WIDTH = 0.92
#: letters narrower than this share of their height, as I, are not made as wide as others
NARROWEST = 0.4


@cache
def _shape(letter: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the outline of a letter in the unit square, and matplotlib's codes of its strokes."""
    textpath = require("matplotlib.textpath", "letters of sequences")
    fonts = require("matplotlib.font_manager", "letters of sequences")
    properties = fonts.FontProperties(family="DejaVu Sans", weight="bold")
    path = textpath.TextPath((0, 0), letter, size=1, prop=properties)
    low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
    size = high - low
    width = max(size[0], NARROWEST * size[1])
    x = (path.vertices[:, 0] - (low[0] + high[0]) / 2) / width
    y = (path.vertices[:, 1] - low[1]) / size[1]
    return np.stack([x, y], axis=1), path.codes


def draw_letters(ax: "Axes", heights: np.ndarray, alphabet: str) -> list[Any]:
    """Draw stacks of letters, at each position the largest outermost; below 0 upside down.

    Parameters
    ----------
    ax : matplotlib Axes
        Its limits are set.
    heights : ndarray of shape (length, n_letters)
        Heights of the letters, in the units of the vertical axis; 0 is not drawn.
    alphabet : str
        The letters.

    Returns
    -------
    list of PathCollection
        One for each letter that is there.
    """
    path_of = require("matplotlib.path", "letters of sequences").Path
    collection = require("matplotlib.collections", "letters of sequences").PathCollection
    bases = _compute_bases(heights)
    drawn = []
    for k, letter in enumerate(alphabet):
        outline, codes = _shape(letter)
        paths = [
            path_of(outline * (WIDTH, heights[i, k]) + (i, bases[i, k]), codes)
            for i in np.flatnonzero(heights[:, k])
        ]
        if paths:
            color = LETTER_COLORS.get(letter, OTHER_COLOR)
            drawn.append(collection(paths, facecolors=color, linewidths=0, label=letter))
            ax.add_collection(drawn[-1])
    ax.set_xlim(-0.6, len(heights) - 0.4)
    return drawn


def _compute_bases(heights: np.ndarray) -> np.ndarray:
    """Return where each letter begins: after those that are smaller, on its side of 0."""
    bases = np.empty_like(heights)
    for side in (heights >= 0, heights < 0):
        sizes = np.where(side, np.abs(heights), 0.0)
        order = np.argsort(sizes, axis=1, kind="stable")
        sizes = np.take_along_axis(sizes, order, axis=1)
        # The smallest letter is next to the axis, and each one stands on the sum of those before:
        # cumulative sums of sorted heights less their own, put back to where the letters belong.
        starts = np.empty_like(sizes)
        np.put_along_axis(starts, order, np.cumsum(sizes, axis=1) - sizes, axis=1)
        np.copyto(bases, np.where(heights < 0, -starts, starts), where=side)
    return bases
