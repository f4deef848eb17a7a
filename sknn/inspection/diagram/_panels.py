"""Axes for pictures of several panels."""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from sknn._optional import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def check_axes(ax: "Axes | None", purpose: str) -> None:
    """Raise TypeError if `ax` is neither an Axes nor None; a figure is neither."""
    axes = require("matplotlib.axes", purpose)
    if ax is not None and not isinstance(ax, axes.Axes):
        raise TypeError(
            f"{purpose} draws into a matplotlib Axes; got ax of type {type(ax).__name__!r}. Make "
            "one with plt.subplots, or leave ax out."
        )


def show_text_as_it_is(axes: "Iterable[Axes]") -> None:
    """Show names with a $ in titles, labels, legends and texts as they are, not as mathematics."""
    for ax in axes:
        legend = ax.get_legend()
        texts = [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        for text in [*texts, *(legend.get_texts() if legend else [])]:
            if "$" in text.get_text():
                text.set_parse_math(False)


def make_panels(
    ax: "Axes | Sequence[Axes] | None",
    n_panels: int,
    n_columns: int,
    *,
    size: tuple[float, float],
    purpose: str,
    gap: float | None = None,
) -> tuple["Axes | None", np.ndarray]:
    """Return Axes for some panels.

    Parameters
    ----------
    ax : Axes, sequence of Axes, or None
        An Axes is divided up, and shows nothing itself, unless there is only one panel, which it
        then is; of a sequence there must be one for each panel; None makes a new figure.
    n_panels, n_columns : int
        Number of panels, and maximum number of panels side by side.
    size : tuple of float
        Width and height of a panel of a new figure, in inches.
    purpose : str
        Subject of error messages.
    gap : float or None, default=None
        Between panels that have y labels, under constrained layout: in widths of a panel. Other
        layouts leave more room by themselves.

    Returns
    -------
    whole : Axes or None
        The Axes given or made; None if a sequence was given.
    panels : ndarray of Axes of shape (n_panels,)

    Raises
    ------
    TypeError
        If something else is given.
    ValueError
        If there are not as many Axes as panels, or an Axes cannot be divided up.
    """
    plt = require("matplotlib.pyplot", purpose)
    if isinstance(ax, (Sequence, np.ndarray)):
        given = np.asarray(ax, dtype=object).ravel()
        for one in given:
            check_axes(one, purpose)
        if len(given) != n_panels:
            raise ValueError(
                f"{purpose} draws {n_panels} panel(s), but ax has {len(given)} Axes. Give one Axes "
                "for each, or a single one to be divided up."
            )
        return None, given
    check_axes(ax, purpose)
    whole = ax
    n_columns = min(n_columns, n_panels)
    n_rows = ceil(n_panels / n_columns)
    if whole is None:
        figsize = (size[0] * n_columns, size[1] * n_rows)
        _, whole = plt.subplots(figsize=figsize, layout="constrained")
    if n_panels == 1:
        return whole, np.array([whole], dtype=object)
    whole.set_axis_off()
    cells = whole.get_subplotspec()
    if cells is None:  # an Axes placed by hand, or an inset
        raise ValueError(
            f"{purpose} cannot divide up an Axes that is not part of a grid. Make it with "
            "plt.subplots or figure.add_subplot, or give a list with an Axes for each panel."
        )
    wspace = gap if whole.figure.get_constrained_layout() else None
    grid = cells.subgridspec(n_rows, n_columns, wspace=wspace)
    cell = [(i // n_columns, i % n_columns) for i in range(n_panels)]
    return whole, np.array([whole.figure.add_subplot(grid[p]) for p in cell], dtype=object)
