"""Values as targets: standardised for training, and predictions in the units of y."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike

from sknn._saved import saved
from sknn._specs import TargetSpec
from sknn.losses import (
    INCREMENTS,
    NUMPY,
    VALUE_LOSSES,
    Loss,
    OutputActivation,
    ValueLoss,
    find_value_loss,
    get_levels,
    read_settings,
    view_as_array,
)
from sknn.preprocessing._moments import RunningMoments
from sknn.preprocessing.targets._measured import (
    average_measured,
    check_measured,
    compute_inverse_cdf,
    has_missing_values,
    score_measured,
)
from sknn.preprocessing.targets._ranges import check_in_range, check_range_is_given, find_range


@saved
class ValueCodec:
    """Codec between numbers and standardised numbers.

    Parameters
    ----------
    loss : {'squared_error', 'absolute_error', 'huber', 'poisson', 'gamma', 'quantile', \
            'gaussian_nll', 'bounded', 'ordered_bins'} or callable
        Loss that the network is trained on. Numbers for 'poisson' stay as they are.
    standardize : bool
        Whether to subtract the mean and divide by the standard deviation; for 'gamma' to divide by
        the mean, so that training starts from predictions of the right size.
    loss_params : mapping, default=None
        Settings of the loss: ``delta`` of 'huber', ``quantiles`` of 'quantile', ``min_std`` of
        'gaussian_nll', the first and the last in units of the standardised y; ``y_range`` of
        'bounded' and 'ordered_bins', ``n_bins`` of the latter.
    scales_all : bool, default=False
        Whether y of 'poisson' is divided by its mean, too; losses are in that unit then.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_columns,)
        ``y = encoded * scale_ + mean_``.
    lacks_spread_ : bool
        Whether a column to be standardised has one value alone; its deviation counts as 1.
    offsets_ : ndarray of shape (n_columns, n_quantiles) or None
        Shifts that `calibrate` adds to standardised quantiles.
    conformity_ : Conformity or None
        Result of `sknn.preprocessing.calibrate_intervals` on held-out samples.
    n_columns_ : int
        Number of columns of y. The raw predictions of a column, such as several quantiles, or a
        mean and a standard deviation, are next to each other.
    spec_ : TargetSpec
        Description of what `encode` returns.
    out_activation_ : {'identity', 'exp', 'increments', 'mean_and_softplus', 'logistic', \
            'expected_bin'}
        Function from raw predictions to predictions, see `sknn.losses.OutputActivation`.

    Raises
    ------
    ValueError
        If the loss is unknown, or a setting is not as it should be.
    """

    def __init__(
        self,
        loss: Loss,
        standardize: bool,
        loss_params: Mapping[str, Any] | None = None,
        *,
        scales_all: bool = False,
    ):
        self.loss = loss
        self._settings = read_settings(loss, self._entry.settings, loss_params)
        self.standardize = standardize and self._entry.standardizes
        scales_all = scales_all and bool(self._entry.lowest)
        self._scale_only = standardize and (self._entry.scales or scales_all)

    @property
    def _entry(self) -> ValueLoss:  # not an attribute: a file names losses of the table
        return find_value_loss(self.loss)

    @property
    def _y_range(self) -> tuple[float, ...] | None:
        return cast("tuple[float, ...] | None", self._settings["y_range"])

    @property
    def output_activation(self) -> OutputActivation:
        """Function from raw predictions to predictions of encoded y."""
        return self._entry.output

    @property
    def has_levels(self) -> bool:
        """Whether predictions are quantiles, which `calibrate` can shift."""
        return self._entry.output.has_levels

    @property
    def has_std(self) -> bool:
        """Whether a standard deviation is predicted, see `decode_std`."""
        return self._entry.output.has_std

    @property
    def shifts(self) -> bool:
        """Whether predictions are shifted by `mean_`."""
        return self._entry.output.shifts

    @property
    def scores_loss(self) -> bool:
        """Whether early stopping uses the loss of held-out samples in place of `score`."""
        return self._entry.scores_loss

    def fit(self, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "ValueCodec":
        """Learn mean and standard deviation, weighted.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            Numbers. NaN stands for a value that was not measured; the loss leaves it out.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative weights of the samples.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a column has no value, or y has NaN and the loss is a function.
        """
        columns = y.reshape(len(y), -1).astype(np.float64)
        n_columns = self.n_columns_ = columns.shape[1]
        self.mean_, self.scale_ = np.zeros(n_columns), np.ones(n_columns)
        self.offsets_: np.ndarray | None = None
        self.lacks_spread_ = False
        self.conformity_: Any = None  # a `Conformity`, which reads this class
        has_missing = has_missing_values(columns)
        if has_missing:
            check_measured(columns, sample_weight, self._entry.function is not None, self.loss)
        if self.standardize:
            self.mean_ = average_measured(columns, sample_weight)
            # σ(y) = s σ(y / s) for any s > 0.
            spread = np.nanmax(np.abs(columns - self.mean_), axis=0)
            spread = np.where(spread > 0, spread, 1.0)  # squares of y near 1e200 overflow
            squares = np.square((columns - self.mean_) / spread)
            variance = average_measured(squares, sample_weight)
            # That of the samples at hand, as StandardScaler's, so that a weight is a count.
            self._set_scale(spread * np.sqrt(variance))
        # Divided by its mean, positive y is 1 on average, near exp of an untrained output.
        if self._scale_only:
            self._set_unit(average_measured(columns, sample_weight))
        if self._entry.is_bounded:
            self.mean_, self.scale_ = find_range(columns, self._y_range)
        output = self._entry.output
        n_raw = output.n_raw(self._settings)
        self.spec_ = TargetSpec("values", n_columns * n_raw, self.loss, self._settings, has_missing)
        # The increments of one level are none.
        is_plain = output == INCREMENTS and n_raw == 1
        self.out_activation_ = "identity" if is_plain else output.name
        return self

    def _set_scale(self, deviation: np.ndarray) -> None:
        """Divide by the standard deviation, of shape (n_columns,), of a target that varies."""
        # A constant target has a deviation of rounding errors alone.
        noise = 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.scale_ = np.where(deviation > noise, deviation, 1.0)
        self.lacks_spread_ = not np.all(deviation > noise)

    def _set_unit(self, mean: np.ndarray) -> None:
        """Divide by the mean, of shape (n_columns,), where it is positive."""
        self.scale_ = np.where((mean > 0) & np.isfinite(mean), mean, 1.0)

    def adopt_moments(self, moments: RunningMoments) -> None:
        """Replace mean and deviation by those of more samples than `fit` saw."""
        if not moments.are_finite:
            return
        if self._entry.is_bounded:
            check_range_is_given(self.loss, self._y_range)
        if self.standardize:
            self.mean_ = moments.mean
            self._set_scale(moments.deviation)
        if self._scale_only:
            self._set_unit(moments.mean)

    def encode(self, y: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Return y standardised.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            Finite numbers; at least 0 for 'poisson', above 0 for 'gamma'; NaN if `fit` saw some.
        dtype : dtype
            Dtype of the result.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)

        Raises
        ------
        ValueError
            If a number is out of the range of the loss or not finite, or the number of columns
            has changed.
        """
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != self.n_columns_:
            raise ValueError(
                f"y has {columns.shape[1]} columns, but {self.n_columns_} in the first call "
                "to fit or partial_fit. Give as many, or fit anew."
            )
        self._check_range(columns)
        return ((columns - self.mean_) / self.scale_).astype(dtype)

    def _check_range(self, columns: np.ndarray) -> None:
        is_missing = np.isnan(columns)
        if not np.isfinite(columns).all() and not (
            self.spec_.has_missing and np.isfinite(columns[~is_missing]).all()
        ):
            text = "y must be finite numbers; some here are NaN or infinite."
            if is_missing.any() and columns.shape[1] > 1:
                text += " Values may be missing (NaN) if some of the first call to fit are."
            raise ValueError(text)
        lowest = self._entry.lowest
        if self._entry.is_bounded and self._y_range is not None:
            check_in_range(columns, self._y_range)
        if not lowest:
            return
        least = float(np.nanmin(columns))
        if least < 0 or (least == 0 and lowest == "> 0"):
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss {self.loss!r}: it "
                f"needs y {lowest}, the smallest here is {least!r}."
            )

    def decode(self, output: np.ndarray) -> np.ndarray:
        """Return predictions in the units of y.

        Parameters
        ----------
        output : ndarray of shape (n_samples, n_outputs)
            Raw predictions of the network.

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_columns), (n_samples, n_quantiles) or \
                (n_samples, n_columns, n_quantiles)
            In the dtype of `output`. The axis of columns is left out where y has one, that of
            quantiles where there is one level or the loss has none. Quantiles of a sample never
            cross. 'gaussian_nll' and 'ordered_bins' predict the mean.
        """
        shift = self.mean_ if self.shifts else np.zeros_like(self.mean_)
        predicted = self._predict(output)
        if not self.has_levels:  # of several predictions the first is the location
            return _drop_single_axis(self._scale_back(predicted[..., 0], shift, self.scale_))
        values = self._scale_back(predicted, shift[:, None], self.scale_[:, None])
        n_samples, n_columns, n_levels = values.shape
        return values.reshape(n_samples, *(n for n in (n_columns, n_levels) if n > 1))

    def _scale_back(self, values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return (values * scale + mean).astype(values.dtype)

    def _predict(self, output: np.ndarray) -> np.ndarray:
        """Return predictions of encoded y, of shape (n_samples, n_columns, n_raw)."""
        raw = output.reshape(len(output), self.n_columns_, -1).transpose(1, 2, 0)
        values = self._entry.output.predict(NUMPY, view_as_array(raw), self._settings)
        predicted = np.ascontiguousarray(cast("np.ndarray", values).transpose(2, 0, 1))
        if not self.has_levels or self.offsets_ is None:
            return predicted
        # Levels are shifted one by one, and might cross; a running maximum keeps their order.
        return np.maximum.accumulate(predicted + self.offsets_.astype(predicted.dtype), axis=-1)

    def calibrate(
        self, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> None:
        """Shift each quantile so that its share of held-out samples lies below it.

        A network that overfits its training samples predicts quantiles too close together. This is
        the correction of conformalised quantile regression [1]_, for each level by itself.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Encoded targets.
        output : ndarray of shape (n_samples, n_outputs)
            Raw predictions of the network.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative weights of the samples.

        References
        ----------
        .. [1] Y. Romano, E. Patterson and E. J. Candès, "Conformalized quantile regression",
           NeurIPS 2019, arXiv:1905.03222.
        """
        if not self.has_levels:
            return
        # With q the predicted quantile of level p, a share p of the residuals y - q lies at or
        # below their own p-quantile, whatever the model: added to q, it gives the share claimed.
        self.offsets_ = None
        residuals = y[:, :, None] - self._predict(output)
        self.offsets_ = np.stack(
            [
                compute_inverse_cdf(residuals[..., k], level, sample_weight)
                for k, level in enumerate(get_levels(self._settings))
            ],
            axis=-1,
        )

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the numbers of an encoded y.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Encoded targets.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_columns)
        """
        return _drop_single_axis(y * self.scale_ + self.mean_)

    def decode_std(self, output: np.ndarray) -> np.ndarray:
        """Return predicted standard deviations in the units of y.

        Parameters
        ----------
        output : ndarray of shape (n_samples, n_outputs)
            Raw predictions of the network.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_columns)
            In the dtype of `output`.

        Raises
        ------
        ValueError
            If the loss predicts none.
        """
        if not self.has_std:
            having = [name for name, loss in VALUE_LOSSES.items() if loss.output.has_std]
            raise ValueError(
                "A standard deviation is predicted only after training with "
                f"loss={' or '.join(map(repr, having))}; the loss was {self.loss!r}."
            )
        std = self._predict(output)[..., 1]
        return _drop_single_axis(self._scale_back(std, np.zeros(1), self.scale_))

    def score(
        self, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> float:
        """Return the score of raw predictions of encoded y: larger is better, 1 is perfect.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Encoded targets.
        output : ndarray of shape (n_samples, n_outputs)
            Raw predictions of the network.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative weights of the samples.

        Returns
        -------
        float
            R², or for 'quantile' the share of the pinball loss of constant predictions that is
            explained (D², see ``sklearn.metrics.d2_pinball_score``), averaged over columns and
            levels; of columns with missing values, over the samples that have one. NaN where a
            prediction is not finite.
        """
        with np.errstate(over="ignore"):
            predicted = self._predict(output)
            if not self.has_levels:
                predicted = predicted[..., 0]
            if not np.isfinite(predicted).all():
                return np.nan
            return self.score_predictions(y, predicted, sample_weight)

    def score_predictions(
        self, y: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return `score` of predictions in the units of y, of as many numbers as `decode` gives."""
        y = y.reshape(len(y), self.n_columns_)
        predicted = predicted.reshape(*y.shape, *([-1] if self.has_levels else []))

        def score(y: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray | None) -> float:
            return self._entry.score.function(y, predicted, sample_weight, self._settings)

        if has_missing_values(y):
            return score_measured(score, y, predicted, sample_weight)
        return score(y, predicted, sample_weight)


def _drop_single_axis(values: np.ndarray) -> np.ndarray:
    """Return values of shape (n_samples, n_columns), of one column (n_samples,)."""
    return values.ravel() if values.shape[1] == 1 else values
