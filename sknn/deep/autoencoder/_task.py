"""Methods of both autoencoders: fits on X alone, reconstructions and their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.metaestimators import available_if

from sknn._sklearn import fit_context, with_callbacks
from sknn._validation import check_weights
from sknn.deep._array_api import follow_array_api
from sknn.deep._available import supports_partial_fit
from sknn.deep._base import DeepEstimator
from sknn.deep._fit_arguments import explain_unknown_arguments, make_data_without_labels
from sknn.deep.autoencoder._images import shape_images
from sknn.deep.sources._predict import read_by_chunk
from sknn.engine import forward
from sknn.preprocessing import TableCodec, TabularEncoder

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike
    from sklearn.utils import Tags


class DeepAutoencoder(DeepEstimator):
    """Tables in and out: numbers, categories and missing values."""

    _make_fit_data = staticmethod(make_data_without_labels)
    _encoder: TabularEncoder
    _codec: TableCodec

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def fit(
        self,
        X: ArrayLike,
        y: None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
    ) -> Self:
        """Train the network to reconstruct X.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples; or an array of images, of shape (n_samples, height, width) or
            (n_samples, height, width, n_channels).
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples; a sample of weight 0 is left out.
        X_val : array-like, default=None
            Validation samples such as X, in place of samples held out by `early_stopping`. Without
            it they are only scored after each epoch, see ``history_``.

        Returns
        -------
        self : object
            The fitted estimator. If fitting fails it is as it was before.

        Raises
        ------
        ValueError
            If a parameter, X or the weights are not as described.
        sknn.exceptions.NonFiniteLossError
            If training diverges; a ``ValueError`` too.
        """
        return self._fit_watched(self._make_fit_data(X, None, sample_weight, X_val=X_val))

    @available_if(supports_partial_fit)
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def partial_fit(
        self,
        X: ArrayLike,
        y: None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
    ) -> Self:
        """Train for one more epoch on the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples. The first call fixes scales, levels and the start.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples.
        X_val : array-like, default=None
            Samples to score after the epoch, see ``history_``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``early_stopping=True``, or X is not as in the first call.
        """
        data = self._make_fit_data(X, None, sample_weight, X_val=X_val)
        return self._fit(data, incremental=True)

    @follow_array_api
    def reconstruct(self, X: ArrayLike) -> ArrayLike:
        """Return samples as the network reconstructs them, missing values filled in.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        {ndarray, data frame} of shape (n_samples, n_features)
            Reconstructions, as `inverse_transform` returns them, without noise or hidden features;
            a frame of pandas has the index of X.
        """
        output = self._forward(X)
        return shape_images(self, self._codec.decode(output, getattr(X, "index", None)))

    @follow_array_api
    @read_by_chunk
    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return the negative reconstruction error of each sample: higher is more normal.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            The negative mean over the values that are not missing of the squared error of scaled
            numbers and twice the cross-entropy of categories, both of which are deviances; 0
            without any value. Of a variational autoencoder twice `kl_weight` times the divergence
            is added to the sum.
        """
        checked = self._check_inputs(X)
        output = forward(self.net_, self._encoder.encode(checked))
        return -self._codec.compute_deviance(checked, output)

    @follow_array_api
    def score(self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            Mean score; larger is better, 0 is perfect.
        """
        scores = self.score_samples(X)
        return float(np.average(scores, weights=check_weights(sample_weight, scores[:, None])))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        self._make_parts().reader.set_tags(tags)
        return tags
