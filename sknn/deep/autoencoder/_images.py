"""Images as X: arrays of shape (n_samples, height, width) or with a further axis of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sknn._validation import MatrixLike
from sknn.deep.parts._protocols import Encoder, MakeTargets, Samples
from sknn.deep.parts._table_reader import TableReader

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags

    from sknn.preprocessing import TableSurvey, TabularEncoder, WrappedFrame


@dataclass(frozen=True)
class ImageReader:
    """A `sknn.deep.parts._protocols.InputReader` of tables, and of images as tables of pixels.

    Attributes
    ----------
    tables : TableReader
        Reader of tables. An estimator that was fitted on images has their shape as
        ``image_shape_``.
    """

    tables: TableReader

    def check(
        self, estimator: BaseEstimator, X: MatrixLike | WrappedFrame, encoder: Encoder | None
    ) -> Samples:
        """Return X checked, images as samples of shape (n_pixels,)."""
        shape = None
        if isinstance(X, np.ndarray) and X.ndim in (3, 4):
            shape, X = X.shape[1:], X.reshape(len(X), -1)
        if encoder is None:
            vars(estimator).pop("image_shape_", None)
            if shape is not None:
                estimator.image_shape_ = shape
        elif shape is not None and shape != getattr(estimator, "image_shape_", None):
            known = getattr(estimator, "image_shape_", None)
            expected = "tables" if known is None else f"images of shape {known}"
            raise ValueError(
                f"{type(estimator).__name__} was fitted on {expected}, but X holds images of shape "
                f"{shape}. Give samples such as those of fit, or fit anew."
            )
        return self.tables.check(estimator, X, encoder)

    def weight_dtype(self, X: Samples) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""
        return self.tables.weight_dtype(X)

    def obstacle_to_chunks(self) -> None:
        """Return None: X may be learned from a part at a time."""

    def fit_encoder(
        self, X: Samples, sample_weight: np.ndarray | None, make_targets: MakeTargets | None = None
    ) -> TabularEncoder:
        """Return an encoder fitted on training samples."""
        return self.tables.fit_encoder(X, sample_weight)

    def make_survey(self, encoder: TabularEncoder) -> TableSurvey:
        """Return what looks at chunks of a table: images do not come in chunks."""
        return self.tables.make_survey(encoder)

    def set_tags(self, tags: Tags) -> None:
        """Say in scikit-learn's tags what X may be."""
        self.tables.set_tags(tags)
        tags.input_tags.three_d_array = True


def shape_images(estimator: BaseEstimator, table: MatrixLike) -> MatrixLike:
    """Return a table of pixels as images, if the estimator was fitted on such."""
    shape = vars(estimator).get("image_shape_")
    return table if shape is None else np.asarray(table).reshape(-1, *shape)
