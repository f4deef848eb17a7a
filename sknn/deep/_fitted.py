"""What can be read from a fitted deep estimator."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from sknn._specs import LayerSpec
from sknn.architectures import describe
from sknn.engine import layer_weights

HEAD = ("layer", "kind", "activation", "output shape", "parameters")


class NetworkSummary:
    """A table of layers that prints well, also in a notebook.

    Parameters
    ----------
    name : str
        Of the estimator.
    layers : sequence of LayerSpec
        From the inputs to the outputs.

    Attributes
    ----------
    layers : tuple of LayerSpec
        As given.
    n_parameters : int
        Sum over the layers.
    """

    def __init__(self, name: str, layers: Sequence[LayerSpec]):
        self.name = name
        self.layers = tuple(layers)
        self.n_parameters = sum(layer.n_parameters for layer in layers)

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with a row for each layer.

        Returns
        -------
        pandas.DataFrame
            Its columns are layer, kind, activation, n_inputs, n_outputs, n_parameters.
        """
        columns = ["kind", "activation", "n_inputs", "n_outputs", "n_parameters"]
        rows = [{"layer": s.name, **{c: getattr(s, c) for c in columns}} for s in self.layers]
        return pd.DataFrame(rows, columns=["layer", *columns])

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (s.name, s.kind, s.activation, f"(n_samples, {s.n_outputs})", f"{s.n_parameters:,}")
            for s in self.layers
        ]

    def __str__(self) -> str:
        rows = [HEAD, *self._cells(), ("total", "", "", "", f"{self.n_parameters:,}")]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*map(str.ljust, r[:4], widths), r[4].rjust(widths[4])]) for r in rows]
        rule = "-" * len(lines[0])
        return "\n".join([self.name, lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self._cells())
        total = row(("total", "", "", "", f"{self.n_parameters:,}"), "th")
        return f"<table><thead>{row(HEAD, 'th')}</thead><tbody>{body}{total}</tbody></table>"


class FittedNet:
    """Properties of a fitted estimator that come from its net."""

    @property
    def module_(self) -> Any:
        """The trained ``torch.nn.Module``."""
        check_is_fitted(self, "net_")
        return self.net_.module_

    @property
    def n_layers_(self) -> int:
        """Layers of units: the inputs, and one for each layer of weights."""
        return 1 + sum(layer.kind in ("Conv1d", "Linear") for layer in self._layers(self.module_))

    @property
    def device_(self) -> str:
        """Where the network is, as torch names it."""
        check_is_fitted(self, "net_")
        return str(self.net_.device)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights of each layer, of shape (n_inputs, n_outputs), to read and to write."""
        check_is_fitted(self, "net_")
        return layer_weights(self.net_)[0]

    @coefs_.setter
    def coefs_(self, arrays: list[np.ndarray]) -> None:
        self.coefs_[:] = arrays

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases of each layer, of shape (n_outputs,), to read and to write."""
        check_is_fitted(self, "net_")
        return layer_weights(self.net_)[1]

    @intercepts_.setter
    def intercepts_(self, arrays: list[np.ndarray]) -> None:
        self.intercepts_[:] = arrays

    def summary(self) -> NetworkSummary:
        """Return a table of the layers, with output shapes and numbers of parameters.

        Returns
        -------
        NetworkSummary
            Prints as a table; ``summary().to_frame()`` is a data frame.
        """
        return NetworkSummary(type(self).__name__, self._layers(self.module_))

    @property
    def _input_names(self) -> list[str] | None:
        """Names of what goes into the network; None for the columns of X if they have none."""
        names = getattr(self, "feature_names_in_", None)
        encoded = self._encoder.get_feature_names_out(names)
        if names is None and len(encoded) == self.n_features_in_:
            return None
        return [str(name) for name in encoded]

    def _layers(self, module: Any) -> list[LayerSpec]:
        spec = self._inputs
        n_inputs = spec.n_numeric * (spec.length or 1) + len(spec.cardinalities)
        return describe(module, n_inputs)

    @property
    def _repr_html_(self) -> Callable[[], str]:
        """What a notebook shows: scikit-learn's diagram, and below it the layers."""
        diagram = super()._repr_html_  # raises AttributeError where the user wants text
        return lambda: self._with_layers(diagram())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._with_layers(bundle["text/html"])
        return bundle

    def _with_layers(self, html: str) -> str:
        return html + self.summary()._repr_html_() if hasattr(self, "net_") else html

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")


class ShortState:
    """Leave out of the state what follows from the result of training.

    Formats such as skops write a thing as often as they meet it, and would hold net and curves
    twice.
    """

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_result" in state:
            for name, value in self._fitted_attributes(state["_result"]).items():
                if name != "_result" and state.get(name) is value:
                    del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_result" in state:
            derived = self._fitted_attributes(self._result)
            vars(self).update({k: v for k, v in derived.items() if k not in state})
