"""Predictions and scores of a source, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sknn._sklearn import Method
from sknn.deep._held_out import make_view
from sknn.engine import prefetch
from sknn.preprocessing import Chunk, is_source, open_source, split_frame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator

    from sknn.preprocessing import SourceLike


def read_by_chunk(method: Method) -> Method:
    """Let a method that returns something for each sample of X take a source of them."""

    @wraps(method)
    def call(self: BaseEstimator, X: ArrayLike | SourceLike, *args: Any, **kwargs: Any) -> Any:
        if not is_source(X):
            return method(self, X, *args, **kwargs)
        chunks = _read_chunks(self, X)
        return _join([method(self, chunk.X, *args, **kwargs) for chunk in chunks])

    return cast(Method, call)


def _read_chunks(
    estimator: BaseEstimator,
    X: SourceLike,
    y: ArrayLike | str | None = None,
    sample_weight: ArrayLike | str | None = None,
) -> Iterator[Chunk]:
    """Yield the chunks of a source, with the columns that a fitted estimator knows."""
    check_is_fitted(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    features = None if names is None else list(names)
    return prefetch(open_source(X, y, sample_weight, features=features).read())


def _join(parts: list) -> Any:
    """Return what was computed for chunks as one."""
    if isinstance(parts[0], tuple):
        return tuple(_join(list(part)) for part in zip(*parts, strict=True))
    return sparse.vstack(parts) if sparse.issparse(parts[0]) else np.concatenate(parts)


def read_for_score(method: Method) -> Method:
    """Let ``score`` take a source, and names of columns as y and sample weights."""

    @wraps(method)
    def call(
        self: BaseEstimator,
        X: ArrayLike | SourceLike,
        y: ArrayLike | str | None = None,
        sample_weight: ArrayLike | str | None = None,
    ) -> float:
        if not is_source(X):
            return method(self, *split_frame(X, y, sample_weight))
        outputs, targets, weights = [], [], []
        for chunk in _read_chunks(self, X, y, sample_weight):
            if chunk.y is None:
                raise ValueError(
                    f"This {type(self).__name__} estimator requires y to be passed, but the target "
                    "y is None. Give the name of a column, an array, or chunks that are pairs "
                    "(X, y)."
                )
            outputs.append(self._forward(chunk.X))
            targets.append(np.asarray(chunk.y))
            if chunk.sample_weight is not None:
                weights.append(np.asarray(chunk.sample_weight))
        view = make_view(self)  # whose raw predictions are known, see `RawOutputScorer`
        view._given_output = np.concatenate(outputs)
        weight = np.concatenate(weights) if weights else None
        return method(view, None, np.concatenate(targets), weight)

    return cast(Method, call)
