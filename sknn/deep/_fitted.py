"""What can be read from a fitted deep estimator."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn.engine import layer_weights


class FittedNet:
    """Properties of a fitted estimator that come from its net."""

    @property
    def module_(self) -> Any:
        """The trained ``torch.nn.Module``."""
        check_is_fitted(self, "net_")
        return self.net_.module_

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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")
