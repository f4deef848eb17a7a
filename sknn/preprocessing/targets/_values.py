"""Numbers in and out of the network."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score

from sknn._specs import TargetSpec
from sknn.losses import (
    VALUE_LOSSES,
    ValueLoss,
    loss_facts,
    monotone_quantiles,
    read_settings,
)


class ValueCodec:
    """Numbers to standardised numbers and back.

    Parameters
    ----------
    loss : {'squared_error', 'absolute_error', 'huber', 'poisson', 'gamma', 'quantile', \
            'gaussian_nll'} or callable
        What the network is trained on. Numbers for 'poisson' stay as they are.
    standardize : bool
        Whether to subtract the mean and divide by the standard deviation; for 'gamma' to divide by
        the mean, so that training starts from predictions of the right size.
    loss_params : mapping, default=None
        Settings of the loss: ``delta`` of 'huber', ``quantiles`` of 'quantile', ``min_std`` of
        'gaussian_nll', the first and the last in units of the standardised y.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_columns,)
        ``y = encoded * scale_ + mean_``.
    offsets_ : ndarray of shape (n_columns, n_quantiles) or None
        What `calibrate` adds to standardised quantiles.
    n_columns_ : int
        Columns of y. A column has several raw outputs next to each other where it has several
        quantiles, or a mean and a standard deviation.
    spec_ : TargetSpec
        How `encode` writes.
    out_activation_ : {'identity', 'exp', 'increments', 'mean_and_softplus'}
        What makes predictions of raw output: nothing; the exponential function; sums of a raw
        output and of softplus of its neighbours (several quantiles); or nothing for the mean,
        and softplus for the standard deviation.

    Raises
    ------
    ValueError
        If the loss is unknown, or a setting is not as it should be.
    """

    def __init__(self, loss: Any, standardize: bool, loss_params: Mapping[str, Any] | None = None):
        self.loss = loss
        self._settings = read_settings(loss, self._facts, loss_params)
        self.standardize = standardize and self._facts.standardizes
        self._scale_only = standardize and self._facts.scales

    @property
    def _facts(self) -> ValueLoss:  # not an attribute: functions of the table cannot be pickled
        return loss_facts(self.loss, VALUE_LOSSES, ValueLoss())

    def fit(self, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "ValueCodec":
        """Learn mean and sample standard deviation, weighted.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            Numbers.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative.

        Returns
        -------
        self
        """
        columns = y.reshape(len(y), -1).astype(np.float64)
        n_columns = self.n_columns_ = columns.shape[1]
        self.mean_, self.scale_ = np.zeros(n_columns), np.ones(n_columns)
        self.offsets_ = None
        if self.standardize:
            self.mean_ = np.average(columns, axis=0, weights=sample_weight)
            spread = np.abs(columns - self.mean_).max(axis=0)
            spread = np.where(spread > 0, spread, 1.0)  # squares of y near 1e200 overflow
            squares = np.square((columns - self.mean_) / spread)
            variance = np.average(squares, axis=0, weights=sample_weight)
            # That of a sample, divided by n - 1; n is the sum of weights, so that a weight of 2
            # is a row given twice. Weights that sum to 1 or so cannot mean counts of rows.
            n = len(y) if sample_weight is None else float(np.sum(sample_weight))
            deviation = spread * np.sqrt(variance * n / max(n - 1, n / 2))
            # A constant target has a deviation of rounding errors alone.
            noise = 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
            self.scale_ = np.where(deviation > noise, deviation, 1.0)
        if self._scale_only:
            mean = np.average(columns, axis=0, weights=sample_weight)
            self.scale_ = np.where((mean > 0) & np.isfinite(mean), mean, 1.0)
        n_outputs = n_columns * self._outputs_of_a_column()
        self.spec_ = TargetSpec("values", n_outputs, self.loss, self._settings)
        several = self._facts.out_activation != "increments" or len(self._levels()) > 1
        self.out_activation_ = self._facts.out_activation if several else "identity"
        return self

    def _levels(self) -> tuple[float, ...]:
        return self._settings.get("quantiles", ())

    def _outputs_of_a_column(self) -> int:
        return 2 if self.loss == "gaussian_nll" else max(1, len(self._levels()))

    def encode(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        """Return y standardised.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_columns)
            Finite numbers; at least 0 for 'poisson', above 0 for 'gamma'.
        dtype : dtype
            Of the result.

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
        if not np.isfinite(columns).all():
            raise ValueError("y must be finite numbers; some here are NaN or infinite.")
        lowest = self._facts.lowest
        if not lowest:
            return
        least = float(columns.min())
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
            Raw outputs of the network.

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_columns), (n_samples, n_quantiles) or \
                (n_samples, n_columns, n_quantiles)
            In the dtype of `output`. The axis of columns is left out where y has one, that of
            quantiles where there is one level or the loss has none. Quantiles of a row never
            cross. 'gaussian_nll' predicts the mean.
        """
        if self.loss == "quantile":
            return self._decode_quantiles(output)
        if self._facts.out_activation == "exp":
            values = self._in_units(np.exp(output), 0.0, self.scale_)
        else:
            values = self._in_units(self._location(output), self.mean_, self.scale_)
        return values.ravel() if values.shape[1] == 1 else values

    def _location(self, output: np.ndarray) -> np.ndarray:
        """Return one raw number a column: the output itself, or its mean."""
        return output[:, ::2] if self.loss == "gaussian_nll" else output

    def _in_units(self, values: np.ndarray, mean: Any, scale: Any) -> np.ndarray:
        return (values * scale + mean).astype(values.dtype)

    def _quantiles(self, output: np.ndarray) -> np.ndarray:
        levels = self._levels()
        values = monotone_quantiles(output.reshape(len(output), -1, len(levels)), levels)
        if self.offsets_ is None:
            return values
        return np.maximum.accumulate(values + self.offsets_.astype(values.dtype), axis=-1)

    def calibrate(self, y: np.ndarray, output: np.ndarray, sample_weight: Any = None) -> None:
        """Shift each quantile so that its share of rows that were not trained on lies below it.

        A network that has learned its training rows by heart sees too little spread; this is the
        remedy of conformalised quantile regression [1]_, for each level apart.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Encoded.
        output : ndarray of shape (n_samples, n_outputs)
            Raw outputs of the network.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative.

        References
        ----------
        .. [1] Y. Romano, E. Patterson and E. J. Candès, "Conformalized quantile regression",
           NeurIPS 2019, arXiv:1905.03222.
        """
        if self.loss != "quantile":
            return
        self.offsets_ = None
        residuals = y[:, :, None] - self._quantiles(output)
        self.offsets_ = np.stack(
            [
                weighted_quantile(residuals[..., k], level, sample_weight)
                for k, level in enumerate(self._levels())
            ],
            axis=-1,
        )

    def _decode_quantiles(self, output: np.ndarray) -> np.ndarray:
        mean, scale = self.mean_[:, None], self.scale_[:, None]
        values = self._in_units(self._quantiles(output), mean, scale)
        n_rows, n_columns, n_levels = values.shape
        kept = [n for n in (n_columns, n_levels) if n > 1]
        return values.reshape(n_rows, *kept)

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the numbers that `encode` made y from.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Encoded.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_columns)
        """
        values = y * self.scale_ + self.mean_
        return values.ravel() if values.shape[1] == 1 else values

    def decode_std(self, output: np.ndarray) -> np.ndarray:
        """Return predicted standard deviations in the units of y.

        Parameters
        ----------
        output : ndarray of shape (n_samples, n_outputs)
            Raw outputs of the network.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_columns)
            In the dtype of `output`.

        Raises
        ------
        ValueError
            If the loss is not 'gaussian_nll'.
        """
        if self.loss != "gaussian_nll":
            raise ValueError(
                "A standard deviation is predicted only after training with "
                f"loss='gaussian_nll'; the loss was {self.loss!r}."
            )
        std = np.logaddexp(output[:, 1::2], 0) + output.dtype.type(self._settings["min_std"])
        values = self._in_units(std, 0.0, self.scale_)
        return values.ravel() if values.shape[1] == 1 else values

    def score(self, y: np.ndarray, output: np.ndarray, sample_weight: Any = None) -> float:
        """Return how well raw output predicts encoded y; larger is better, 1 is perfect.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Encoded.
        output : ndarray of shape (n_samples, n_outputs)
            Raw outputs of the network.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative.

        Returns
        -------
        float
            R², or for 'quantile' the share of the pinball loss of constant predictions that is
            explained (D², see ``sklearn.metrics.d2_pinball_score``), averaged over columns and
            levels. NaN where a prediction is not finite.
        """
        with np.errstate(over="ignore"):
            if self.loss == "quantile":
                predicted = self._quantiles(output)
            elif self._facts.out_activation == "exp":
                predicted = np.exp(output)
            else:
                predicted = self._location(output)
            if not np.isfinite(predicted).all():
                return np.nan
            if self.loss != "quantile":
                return r2_score(y, predicted, sample_weight=sample_weight)
            scores = [
                d2_pinball_score(y, predicted[..., k], alpha=level, sample_weight=sample_weight)
                for k, level in enumerate(self._levels())
            ]
            return float(np.mean(scores))


def weighted_quantile(values: np.ndarray, level: float, weight: Any = None) -> np.ndarray:
    """Return the smallest values that have at least a share of the weight at or below them.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Numbers.
    level : float
        The share, in (0, 1).
    weight : ndarray of shape (n_samples,), default=None
        Non-negative; None is 1 for each row.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    weight = np.ones(len(values)) if weight is None else weight.astype(np.float64)
    order = np.argsort(values, axis=0)
    shares = np.cumsum(weight[order], axis=0) / weight.sum()
    places = (shares < level - 1e-12).sum(axis=0).clip(max=len(values) - 1)
    return np.take_along_axis(values, np.take_along_axis(order, places[None], axis=0), axis=0)[0]
