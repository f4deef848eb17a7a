"""A table of the layers of a network."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from sknn._specs import LayerSpec

HEAD = ("layer", "kind", "activation", "output shape", "parameters")


class NetworkSummary:
    """A table of layers that prints well, also in a notebook.

    Parameters
    ----------
    name : str
        Name of the estimator.
    layers : sequence of LayerSpec
        Layers, from the inputs to the outputs.

    Attributes
    ----------
    layers : tuple of LayerSpec
        Layers that were given.
    n_parameters : int
        Sum over the layers.
    """

    def __init__(self, name: str, layers: Sequence[LayerSpec]):
        self.name = name
        self.layers = tuple(layers)
        self.n_parameters = sum(layer.n_parameters for layer in layers)

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas data frame with a row for each layer."""
        columns = ["kind", "activation", "n_inputs", "n_outputs", "n_parameters"]
        rows = [{"layer": s.name, **{c: getattr(s, c) for c in columns}} for s in self.layers]
        return pd.DataFrame(rows, columns=["layer", *columns])

    def _list_cells(self) -> list[tuple[str, ...]]:
        return [
            (s.name, s.kind, s.activation, f"(n_samples, {s.n_outputs})", f"{s.n_parameters:,}")
            for s in self.layers
        ]

    def __str__(self) -> str:
        rows = [HEAD, *self._list_cells(), ("total", "", "", "", f"{self.n_parameters:,}")]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*map(str.ljust, r[:4], widths), r[4].rjust(widths[4])]) for r in rows]
        rule = "-" * len(lines[0])
        return "\n".join([self.name, lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self._list_cells())
        total = row(("total", "", "", "", f"{self.n_parameters:,}"), "th")
        return f"<table><thead>{row(HEAD, 'th')}</thead><tbody>{body}{total}</tbody></table>"
