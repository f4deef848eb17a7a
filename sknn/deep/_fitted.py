"""What can be read from a fitted deep estimator."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._specs import LayerSpec
from sknn.architectures import describe
from sknn.deep._summary import NetworkSummary
from sknn.engine import layer_weights


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
