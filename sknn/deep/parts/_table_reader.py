"""Checks and encoding of tables: arrays, sparse matrices, data frames."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from sknn._refusals import explain_refusal
from sknn._validation import (
    MatrixLike,
    check_container,
    is_clean_array,
    note_width,
    read_array_like,
    sum_duplicates,
)
from sknn.deep.parts._protocols import Encoder, MakeTargets, Samples
from sknn.preprocessing import (
    TableSurvey,
    TabularEncoder,
    WrappedFrame,
    check_dimensions,
    check_names,
    is_plain_numbers,
    wrap_frame,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags


@dataclass(frozen=True)
class TableReader:
    """A `sknn.deep.parts._protocols.InputReader` of tables.

    Attributes
    ----------
    categorical_features, scale, dtype, text_features
        See `sknn.preprocessing.TabularEncoder`.
    is_dense : bool, default=False
        Whether sparse matrices become dense, all at once.
    orders_by_name : bool, default=False
        Whether columns of a data frame that come in another order than in `fit` are put in order;
        else that is an error, as in scikit-learn.
    samples_for_float32 : int, default=0
        Number of samples from which ``dtype='auto'`` is float32; with 0 it follows X.
    target_encoding : int or None, default=None
        Limit of levels, see `sknn.preprocessing.TabularEncoder`.
    """

    categorical_features: ArrayLike | str | None
    scale: str | None
    dtype: str
    text_features: ArrayLike | str | None = "auto"
    is_dense: bool = False
    orders_by_name: bool = False
    samples_for_float32: int = 0
    target_encoding: int | None = None

    def check(
        self, estimator: BaseEstimator, X: MatrixLike | WrappedFrame, encoder: Encoder | None
    ) -> Samples:
        """Return X checked, in the user's dtype; without an encoder its columns are noted."""
        if encoder is None and is_clean_array(X):
            note_width(estimator, X)
            return X
        unnamed = encoder is not None and not hasattr(estimator, "feature_names_in_")
        if unnamed and is_clean_array(X, estimator.n_features_in_):
            return X
        if isinstance(X, str):
            raise TypeError(
                f"X must be a table, but is the text {X!r:.60}. For the samples of a file write "
                "pathlib.Path(...)."
            )
        check_container(X)
        check_dimensions(estimator, X)
        frame = wrap_frame(X)
        if frame is not None and self.orders_by_name and encoder is not None and not unnamed:
            frame = frame.order_by(estimator.feature_names_in_)
        if frame is not None and self.is_dense:
            frame = frame.make_dense()
        if frame is not None or not is_plain_numbers(X):
            return check_names(estimator, X if frame is None else frame, reset=encoder is None)
        with explain_refusal(X):
            checked = validate_data(
                estimator,
                read_array_like(X),
                accept_sparse="csr",
                dtype=None,  # encoders cast, after they have scaled and looked up
                ensure_all_finite="allow-nan",
                reset=encoder is None,
            )
        if self.is_dense and sparse.issparse(checked):
            return make_dense(checked, type(estimator).__name__)
        return sum_duplicates(checked)

    def weight_dtype(self, X: Samples) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""
        if self.dtype != "auto":
            return "float64" if self.dtype == "float64" else "float32"
        return "float32" if getattr(X, "dtype", None) == np.float32 else "float64"

    def obstacle_to_chunks(self) -> str | None:
        """Return why X cannot be learned from a part at a time, or None."""
        limit = self.target_encoding
        if not isinstance(limit, Integral) or limit < 0:  # out of range, which fit says
            return None
        return (
            f"target_encoding={self.target_encoding} takes the means of y over all samples, which "
            "parts of them (partial_fit, and sources that do not fit into memory) cannot give. Set "
            "target_encoding=None, or call fit with all samples in memory."
        )

    def fit_encoder(
        self,
        X: Samples,
        sample_weight: np.ndarray | None,
        make_targets: MakeTargets | None = None,
    ) -> TabularEncoder:
        """Return an encoder fitted on training samples."""
        dtype = self.dtype
        if dtype == "auto" and self.samples_for_float32:
            dtype = "float64" if X.shape[0] < self.samples_for_float32 else "float32"
        elif dtype not in ("auto", "float64"):  # products alone are less precise
            dtype = "float32"
        encoder = TabularEncoder(
            self.categorical_features,
            scale=self.scale,
            dtype=dtype,
            text_features=self.text_features,
        )
        if self.target_encoding is None or make_targets is None:
            return encoder.fit(X, sample_weight=sample_weight)
        encoder.set_params(target_encoding=self.target_encoding)
        return encoder.fit(X, make_targets(), sample_weight)

    def make_survey(self, encoder: TabularEncoder) -> TableSurvey:
        """Return what looks at chunks of X, for an encoder that is fitted on the first one."""
        return TableSurvey(encoder)

    def set_tags(self, tags: Tags) -> None:
        """Say in scikit-learn's tags what X may be."""
        sparse_scales = (None, "standard", "auto")
        tags.input_tags.sparse = self.is_dense or self.scale in sparse_scales
        tags.input_tags.allow_nan = True
        tags.array_api_support = True


def make_dense(X: sparse.csr_matrix, name: str) -> np.ndarray:
    """Return a sparse matrix as an array; raise MemoryError that says what to do if it is large."""
    try:
        return X.toarray()
    except MemoryError as error:
        raise MemoryError(
            f"{name} makes sparse X dense, all at once, but the memory is not enough for an array "
            f"of shape {X.shape}. Reduce the columns first, such as by TruncatedSVD, or take a "
            "DeepMLP estimator, which makes a mini-batch dense at a time."
        ) from error
