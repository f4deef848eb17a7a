"""Methods of all deep regressors."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import TYPE_CHECKING, cast

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from sknn._sklearn import fit_context, with_callbacks
from sknn.deep._array_api import follow_array_api
from sknn.deep._available import offers_quantiles, supports_partial_fit
from sknn.deep._base import DeepEstimator
from sknn.deep._fit_arguments import explain_unknown_arguments, join_validation, make_fit_data
from sknn.deep.parts._preparation import FitData
from sknn.deep.parts._targets import ValueParts, read_incomplete_target
from sknn.deep.sources._predict import read_by_chunk, read_for_score
from sknn.exceptions import warn_user
from sknn.preprocessing import ValueCodec, decode_interval, score_measured

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike
    from sklearn.utils import Tags


class DeepRegressor(RegressorMixin, DeepEstimator):
    """Numbers in and out, one or several per sample."""

    _make_fit_data = staticmethod(make_fit_data)
    _codec: ValueCodec

    @abstractmethod
    def _make_parts(self) -> ValueParts:
        """Return what this regressor holds, made of its parameters as they are now."""

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | str | None = None,
        sample_weight: ArrayLike | str | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        X_unlabelled: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Training samples; networks for sequences take strings, of shape (n_samples,). A
            ``pathlib.Path`` or another source, see :doc:`/guide/large_data`, is read a chunk at a
            time. Sparse ones stay sparse, or become dense a mini-batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or str, default=None
            Column of X, or numbers; NaN, of several columns, where one was not measured. None only
            if the chunks of a source hold y.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Non-negative weights of the samples; a sample of weight 0 is left out.
        X_val, y_val : array-like, default=None
            Validation samples such as X and y, in place of samples held out by `early_stopping`.
            Without it they are only scored after each epoch, see ``history_``. In a ``Pipeline``
            let X_val be transformed as X is: ``Pipeline(steps, transform_input=["X_val"])``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the validation samples.
        X_unlabelled : array-like, default=None
            Samples without labels, for an autoencoder that is not fitted yet, or for filters that
            predict hidden letters; see `pretrained`.

        Returns
        -------
        self : object
            The fitted estimator. If fitting fails it is as it was before.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights are not as described.
        sknn.exceptions.NonFiniteLossError
            If training diverges; a ``ValueError`` too.
        """
        validation = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        data = self._make_fit_data(X, y, sample_weight, X_unlabelled=X_unlabelled, **validation)
        return self._fit_watched(data)

    @available_if(supports_partial_fit)
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train for one more epoch on the given samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers. The first call fixes how they are standardised.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples.
        X_val, y_val, sample_weight_val : array-like, default=None
            Samples to score after the epoch, such as those of `fit`, see ``history_``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``early_stopping=True``, or X or y are not as in the first call.
        """
        validation = join_validation(X_val, y_val, sample_weight_val)
        data = FitData(X, y, sample_weight, validation=validation)
        is_first = "_codec" not in vars(self)
        self._fit(data, incremental=True)
        if is_first and self._codec.lacks_spread_:
            warn_user(
                "y of the first call to partial_fit has one value alone, so that nothing is known "
                "of its scale, which that call fixes: y is learned in its own units, shifted by "
                "that value. Let the first call have samples whose y differ, as much as those to "
                "follow, or give y in units of about 1 with standardize_target=False."
            )
        return self

    @follow_array_api
    @read_by_chunk
    def predict(
        self, X: ArrayLike, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the expected value of y for each sample, or its quantiles.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.
        return_std : bool, default=False
            Whether to return standard deviations too: of a network that was trained with
            ``loss='gaussian_nll'`` or ``'ordered_bins'``, or of an estimator with several members.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of y and the dtype of the computation; float64 of several members. After
            training with ``loss='quantile'`` of several levels these are an axis of their own, the
            last, along which values never decrease.
        std : ndarray of the shape of y
            Only with `return_std`. After training with ``loss='gaussian_nll'`` or
            ``'ordered_bins'`` it is the standard deviation of y around the prediction. With other
            losses several members give how much they disagree, which says nothing of the noise in
            y.

        Raises
        ------
        ValueError
            If standard deviations are asked for and the loss of a single network was another.
        """
        encoded, output = self._encode_and_forward(X)
        predictor = self._make_parts().target.predictor
        y = predictor.predict(self._codec, output)
        if not return_std:
            return y
        return y, predictor.deviate(self._codec, self.net_, encoded, output)

    @available_if(offers_quantiles)
    def predict_quantiles(self, X: ArrayLike) -> np.ndarray:
        """Return the quantiles of y for each sample, after training with ``loss='quantile'``.

        Unlike `predict` this has an axis of levels also where there is one level, so that column k
        is what ``sklearn.metrics.mean_pinball_loss(y, y_pred, alpha=quantile[k])`` takes.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_levels) or (n_samples, n_outputs, n_levels)
            In the order of the parameter ``quantile``; along the last axis values never decrease.
        """
        quantiles = cast(np.ndarray, self.predict(X))  # without return_std
        n_levels = len(self._codec.spec_.loss_params["quantiles"])
        return quantiles if n_levels > 1 else quantiles[..., None]

    @follow_array_api
    @read_by_chunk
    def predict_interval(self, X: ArrayLike, coverage: float = 0.9) -> np.ndarray:
        """Return an interval for each sample that holds y with a given probability.

        The intervals are calibrated on held-out samples [1]_: whatever the loss, and however wrong
        the network, a share `coverage` of new samples that come from where the held-out ones came
        from lies in its interval, on average over all samples. With several levels of
        ``loss='quantile'`` the intervals are those between the outer levels, made wider or
        narrower; with ``loss='gaussian_nll'`` and ``'ordered_bins'`` they follow the predicted
        standard deviation, with 'poisson' and 'gamma' the mean; else all are of one width.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.
        coverage : float, default=0.9
            Share of new samples that are to lie in their intervals, in (0, 1).

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper ends, in the units of y. With several outputs each is calibrated apart.

        Raises
        ------
        ValueError
            If fit held out no samples, or too few for this coverage: n samples are enough for
            ``coverage <= n / (n + 1)``.

        References
        ----------
        .. [1] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic learning in a random world",
           Springer 2005, doi:10.1007/b106715.
        """
        is_share = isinstance(coverage, Real) and not isinstance(coverage, bool)
        if not (is_share and 0 < coverage < 1):
            raise ValueError(f"coverage must be a number in (0, 1); got {coverage!r}.")
        output = self._forward(X)
        predictor = self._make_parts().target.predictor
        return decode_interval(self._codec, predictor.widen(output), float(coverage))

    @follow_array_api
    @read_for_score
    def score(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return R² of the predictions; of quantiles D², the same for the pinball loss.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, source} of shape (n_samples, n_features)
            Samples.
        y : str, or array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Name of a column of X; or true values; NaN, of several columns, where one is not known.
            None only if the chunks of a source hold y.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            1 is perfect, 0 as good as a constant. D² (``sklearn.metrics.d2_pinball_score``) is
            averaged over levels. A column counts by the samples whose value is known.
        """
        codec, table = vars(self).get("_codec"), read_incomplete_target(y)
        if codec is not None and codec.has_levels:
            checked = self._make_parts().target.check(self, y)
            encoded = codec.encode(checked, checked.dtype)
            return codec.score(encoded, self._forward(X), sample_weight)
        if table is None:
            return super().score(X, y, sample_weight)
        return score_measured(r2_score, table, cast(np.ndarray, self.predict(X)), sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        parts = self._make_parts()
        parts.reader.set_tags(tags)
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = parts.target.is_positive
        return tags
