"""The half of a deep estimator that takes tables: arrays, sparse matrices, data frames."""

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from sknn._specs import InputSpec
from sknn._validation import is_clean_array

FLOATS = (np.float64, np.float32)


class PlainEncoder:
    def __init__(self, X):
        self.spec_ = InputSpec("table", X.shape[1], str(X.dtype))

    def transform(self, X):
        return X


class TableInput:
    """X is a table."""

    def _check_inputs(self, X: Any, *, reset: bool) -> Any:
        unnamed = not reset and not hasattr(self, "feature_names_in_")
        if unnamed and is_clean_array(X, self.n_features_in_, self._inputs.dtype):
            return X
        dtype = self._input_dtype() if reset else self._inputs.dtype
        return validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=reset)

    def _is_encoded(self, X: Any) -> bool:
        return True

    def _fit_encoder(self, X: Any, sample_weight: np.ndarray | None) -> Any:
        return PlainEncoder(X)

    def _input_dtype(self) -> Any:
        """Return the dtype that X is to have; scikit-learn keeps one of several."""
        return FLOATS if self.dtype == "auto" else self.dtype
