"""The half of a deep estimator that takes tables: arrays, sparse matrices, data frames."""

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from sknn._validation import is_clean_array
from sknn.preprocessing import TabularEncoder, check_names, is_plain_numbers


class TableInput:
    """X is a table; `categorical_features`, `scale` and `dtype` say how it is encoded."""

    def _check_inputs(self, X: Any, *, reset: bool) -> Any:
        """Return X checked, in the dtype that the user gave: encoders scale before they cast."""
        unnamed = not reset and not hasattr(self, "feature_names_in_")
        if unnamed and is_clean_array(X, self.n_features_in_):
            return X
        if not is_plain_numbers(X):
            return check_names(self, X, reset=reset)
        return validate_data(
            self,
            X,
            accept_sparse="csr",
            dtype=None,
            ensure_all_finite="allow-nan",
            reset=reset,
        )

    def _fit_encoder(self, X: Any, sample_weight: np.ndarray | None) -> TabularEncoder:
        encoder = TabularEncoder(self.categorical_features, scale=self.scale, dtype=self._dtype())
        return encoder.fit(X, sample_weight=sample_weight)

    def _dtype(self) -> str:
        """Return the dtype of the weights; products may be less precise."""
        return self.dtype if self.dtype in ("auto", "float64") else "float32"

    def _weight_dtype(self, X: Any) -> str:
        """Return the dtype of the sample weights that belong to X."""
        if self.dtype != "auto":
            return self._dtype()
        return "float32" if getattr(X, "dtype", None) == np.float32 else "float64"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.scale in (None, "standard", "auto")
        tags.input_tags.allow_nan = True
        return tags
