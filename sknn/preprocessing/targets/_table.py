"""A table as the target of an autoencoder: values to learn, and tables from raw predictions."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy.special import log_softmax

from sknn._saved import saved
from sknn._specs import TargetSpec
from sknn._validation import MatrixLike, to_dense
from sknn.losses import NUMPY, RECONSTRUCTION, compute_reconstruction_loss, view_as_array
from sknn.preprocessing.tables._encoder import TabularEncoder
from sknn.preprocessing.tables._values import TableKind, make_table, read_values


@saved
class TableCodec:
    """Codec between tables and the values that a network reconstructs.

    Parameters
    ----------
    encoder : TabularEncoder
        Unfitted encoder with the parameters of the encoder of the inputs.
    kl_weight : float or None, default=None
        Weight of the divergence of a variational autoencoder; None for other kinds.

    Attributes
    ----------
    spec_ : TargetSpec
        Description of what `encode` returns: numbers, NaN for missing values.
    out_activation_ : str
        'identity', as raw predictions are numbers and logits.
    n_numbers_ : int
        Number of numeric columns.
    n_levels_ : tuple of int
        Number of levels of each categorical column, at least 1.
    may_miss_ : bool
        Whether the loss leaves out missing values.
    kind_ : TableKind
        Kind of X in `fit`.
    """

    out_activation_ = "identity"

    def __init__(self, encoder: TabularEncoder, kl_weight: float | None = None):
        self.encoder = encoder
        self.kl_weight = kl_weight

    def fit(self, X: MatrixLike, sample_weight: np.ndarray | None = None) -> "TableCodec":
        """Learn scales and levels."""
        self.encoder.fit(X, sample_weight=sample_weight)
        self.kind_ = TableKind.of(X)
        categories = self.encoder._categories
        self.n_numbers_ = len(self.encoder._numeric.labels)
        self.n_levels_ = tuple(max(len(c.levels), 1) for c in categories)
        n_outputs = self.n_numbers_ + sum(self.n_levels_) + (self.kl_weight is not None)
        self.spec_ = self._make_spec(n_outputs)
        return self

    def _make_spec(self, n_outputs: int) -> TargetSpec:
        """Return squared errors where they are enough, as these are computed fastest."""
        numeric = self.encoder._numeric
        is_incomplete = len(numeric.marked) > 0 or bool(numeric.empty.any())
        self.may_miss_ = is_incomplete or self.kl_weight is not None or len(self.n_levels_) > 0
        if not self.may_miss_:
            return TargetSpec("values", n_outputs, "squared_error")
        settings = {"n_levels": self.n_levels_, "kl_weight": self.kl_weight or 0.0}
        return TargetSpec("values", n_outputs, RECONSTRUCTION.name, settings)

    def encode(self, X: MatrixLike, dtype: DTypeLike) -> np.ndarray:
        """Return the values of X.

        Parameters
        ----------
        X : {ndarray, CSR matrix, data frame} of shape (n_samples, n_features)
            Table that has been checked.
        dtype : dtype
            Dtype of the result.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            See `sknn.preprocessing.tables._values`.

        Raises
        ------
        ValueError
            If a value is missing, where no value was in fit and the loss cannot leave it out.
        """
        values = to_dense(read_values(self.encoder, X, dtype))
        if not self.may_miss_ and np.isnan(values).any():
            raise ValueError(
                "X has missing values now, but had none in the first call, by which the loss was "
                "chosen. Let the first call have some, or fill them."
            )
        return values

    def decode(self, output: np.ndarray, index: ArrayLike | None = None) -> ArrayLike:
        """Return raw predictions as a table in the user's units, with most probable categories.

        `output` is of shape (n_samples, n_outputs), and `index` for frames of pandas.
        """
        values = np.empty((len(output), self.n_numbers_ + len(self.n_levels_)), output.dtype)
        values[:, : self.n_numbers_] = output[:, : self.n_numbers_]
        for i, logits in enumerate(self._split_logits(output), self.n_numbers_):
            values[:, i] = logits.argmax(axis=1)
        for i, category in enumerate(self.encoder._categories, self.n_numbers_):
            if not category.levels:
                values[:, i] = np.nan
        return make_table(self.encoder, self.kind_, values, index)

    def decode_target(self, y: np.ndarray) -> ArrayLike:
        """Return the table of an encoded y, with NaN and None for missing values."""
        return make_table(self.encoder, self.kind_, y)

    def _split_logits(self, output: np.ndarray) -> Sequence[np.ndarray]:
        stops = self.n_numbers_ + np.cumsum((0, *self.n_levels_))
        return [output[:, a:b] for a, b in pairwise(stops)]

    def compute_deviance(self, X: MatrixLike, output: np.ndarray) -> np.ndarray:
        """Return the mean deviance of each sample over its values that are not missing.

        That is the squared error of a scaled number, and twice the cross-entropy of a category;
        a variational autoencoder adds twice its weighted divergence. 0 without any value.

        Parameters
        ----------
        X : {ndarray, CSR matrix, data frame} of shape (n_samples, n_features)
            Table that has been checked.
        output : ndarray of shape (n_samples, n_outputs)
            Raw predictions of the network for it.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.measure_deviance(to_dense(read_values(self.encoder, X, output.dtype)), output)

    def measure_deviance(self, values: np.ndarray, output: np.ndarray) -> np.ndarray:
        """Return the mean deviance of encoded values, see `compute_deviance`."""
        losses = compute_reconstruction_loss(
            NUMPY,
            view_as_array(output.T),
            view_as_array(values.T),
            n_levels=self.n_levels_,
            kl_weight=self.kl_weight or 0.0,
        )
        # Half of a squared error and -log p are both half a deviance: twice their sum is the
        # deviance of the sample, divided by the values that it has.
        return 2 * cast("np.ndarray", losses) / np.maximum((~np.isnan(values)).sum(axis=1), 1)

    def compute_log_shares(self, y: np.ndarray, weight: np.ndarray | None) -> list[np.ndarray]:
        """Return the logarithm of each level's share, with one sample more of each, by column."""
        shares = []
        for i, n in enumerate(self.n_levels_, self.n_numbers_):
            known = ~np.isnan(y[:, i])
            of_known = None if weight is None else weight[known]
            counts = np.bincount(y[known, i].astype(int), weights=of_known, minlength=n)
            # Logits whose softmax is (count + 1) / (n + levels): shares as if each level had been
            # there once more, so that none is minus infinity.
            shares.append(log_softmax(np.log(counts + 1)))
        return shares
