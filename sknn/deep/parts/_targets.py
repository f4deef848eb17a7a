"""Targets: classes or numbers, each with its codec and its default score."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from sknn._sklearn import check_y
from sknn._specs import Sample, TrainPlan, TrainResult
from sknn._targets import is_plain_column, read_labels, read_values
from sknn._validation import check_class_weights, to_dense
from sknn.deep._params import nested_arguments
from sknn.deep.parts._preparation import PartsOf, Training
from sknn.deep.parts._protocols import InputReader, NetworkBuilder, Samples
from sknn.deep.parts._target_surveys import ClassSurvey, ValueSurvey
from sknn.engine import Net, forward
from sknn.losses import VALUE_LOSSES, Loss, find_value_loss
from sknn.preprocessing import ClassCodec, ValueCodec, calibrate_intervals, has_missing_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator


class ClassJudge(Protocol):
    """Score of raw predictions of classes, and their calibration, on held-out samples."""

    def score(
        self, kind: str, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return a score, larger for better; `kind` is that of `sknn._specs.TargetSpec`."""

    def calibrate(self, kind: str, plan: TrainPlan, result: TrainResult) -> None:
        """Adjust a trained network, where there are held-out samples."""


class Accuracy:
    """A `ClassJudge`: the share of samples whose class, or set of labels, is right."""

    def score(
        self, kind: str, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return the weighted share."""
        if kind == "multiclass":
            correct = output.argmax(axis=1) == y
        else:
            correct = (((output > 0) == (y > 0.5)) | np.isnan(y)).all(axis=1)
        return np.average(correct, weights=sample_weight)

    def calibrate(self, kind: str, plan: TrainPlan, result: TrainResult) -> None:
        """Leave the network as it is."""


@dataclass(frozen=True)
class ClassTarget:
    """A `sknn.deep.parts._protocols.Target` of labels: binary, multiclass and multilabel.

    Attributes
    ----------
    class_weight : dict, 'balanced', list of dict or None, default=None
        Weights of the classes, see the estimators.
    loss, loss_params
        See `sknn.preprocessing.ClassCodec`.
    judge : ClassJudge
        The default score.
    """

    class_weight: Mapping | Sequence | str | None = None
    loss: Loss = "log_loss"
    loss_params: Mapping[str, Any] = field(default_factory=dict)
    judge: ClassJudge = field(default_factory=Accuracy)

    @classmethod
    def of(cls, estimator: BaseEstimator) -> ClassTarget:
        """Return the target for an estimator's parameters."""
        settings = nested_arguments(estimator, "loss")
        if estimator.label_smoothing:
            settings["label_smoothing"] = estimator.label_smoothing
        return cls(estimator.class_weight, estimator.loss, settings)

    def weighted_by(self, class_weight: Mapping | Sequence | str | None) -> ClassTarget:
        """Return the same target with other weights of the classes."""
        return replace(self, class_weight=class_weight)

    def obstacle_to_partial_fit(self) -> str | None:
        """Return why training cannot go on a part of y at a time, or None."""
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            return (
                "class_weight='balanced' needs to see all of y, but partial_fit sees a part. Give "
                "a dict of weights, such as from sklearn.utils.class_weight.compute_class_weight."
            )
        return None

    def check(
        self, estimator: BaseEstimator, y: ArrayLike | None, X: Samples | None = None
    ) -> np.ndarray:
        """Return y checked, of one axis or two."""
        return _check_target(estimator, y, read_labels)

    def weigh(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the sample weights times those of the samples' classes."""
        if self.class_weight is None:
            return sample_weight
        if has_missing_values(y):
            raise ValueError(
                "class_weight needs all labels of a sample, but y has missing values (NaN). Set it "
                "to None, and give sample_weight to fit where samples shall count differently."
            )
        # 'balanced' counts samples by their weights, so that a weight of 2 is a sample given twice.
        if isinstance(self.class_weight, str):
            weight = _balance_classes(y, sample_weight)
        else:
            weight = compute_sample_weight(self.class_weight, y)
            check_class_weights(weight, self.class_weight)
        return weight if sample_weight is None else weight * sample_weight

    def fit_codec(
        self, y: np.ndarray, sample_weight: np.ndarray | None, classes: ArrayLike | None
    ) -> ClassCodec:
        """Return a codec of the classes."""
        return ClassCodec(self.loss, dict(self.loss_params)).fit(y, classes)

    def make_survey(self) -> ClassSurvey:
        """Return what looks at chunks of y."""
        return ClassSurvey(self)

    def refit_codec(self, codec: ClassCodec, training: Sample) -> ClassCodec:
        """Return the codec: the classes are those of all samples."""
        # A class whose only samples are held out is still one that can be predicted.
        return codec

    def check_same(self, codec: ClassCodec, y: np.ndarray) -> None:
        """Raise ValueError unless y has the classes of the earlier fit."""
        codec.check_same_classes(y)

    def fitted_attributes(self, codec: ClassCodec) -> dict[str, np.ndarray]:
        """Return ``classes_``."""
        return {"classes_": codec.classes_}

    def score(
        self,
        codec: ClassCodec,
        y: np.ndarray,
        output: np.ndarray,
        sample_weight: np.ndarray | None,
    ) -> float:
        """Return the default score of raw predictions against encoded y."""
        return self.judge.score(codec.spec_.kind, y, output, sample_weight)

    def calibrate(self, codec: ClassCodec, plan: TrainPlan, result: TrainResult) -> ClassCodec:
        """Let the judge adjust the network; return the codec."""
        self.judge.calibrate(codec.spec_.kind, plan, result)
        return codec


class ValuePredictor(Protocol):
    """Predictions and standard deviations from raw predictions of numbers."""

    def predict(self, codec: ValueCodec, output: np.ndarray) -> np.ndarray:
        """Return predictions, in the units of y."""

    def deviate(
        self, codec: ValueCodec, net: Net, encoded: np.ndarray | None, output: np.ndarray
    ) -> np.ndarray:
        """Return standard deviations, in the units of y."""

    def widen(self, output: np.ndarray) -> np.ndarray:
        """Return raw predictions in the dtype that predictions are computed in."""


class CodecPredictor:
    """A `ValuePredictor` of one network: what the codec reads from raw predictions."""

    def predict(self, codec: ValueCodec, output: np.ndarray) -> np.ndarray:
        """Return predictions, in the units of y."""
        return codec.decode(output)

    def deviate(
        self, codec: ValueCodec, net: Net, encoded: np.ndarray | None, output: np.ndarray
    ) -> np.ndarray:
        """Return the standard deviations that the network was trained to give."""
        if getattr(net.module_, "n_members", 1) == 1:
            return codec.decode_std(output)
        return deviate_members(codec, net, encoded, output)

    def widen(self, output: np.ndarray) -> np.ndarray:
        """Return raw predictions as they are."""
        return output


def deviate_members(
    codec: ValueCodec, net: Net, encoded: np.ndarray | None, output: np.ndarray
) -> np.ndarray:
    """Return how much members disagree, with the noise in y where the loss tells it."""
    members = forward(net, encoded, "run_each_member").astype(np.float64).swapaxes(0, 1)
    std = np.std([codec.decode(of_member) for of_member in members], axis=0)
    if codec.has_std:  # var(y) = mean of the variances + variance of the means
        std = np.hypot(std, codec.decode_std(output))
    return std.astype(output.dtype)


@dataclass(frozen=True)
class ValueTarget:
    """A `sknn.deep.parts._protocols.Target` of numbers, one or several per sample.

    Attributes
    ----------
    loss : str or callable
        Loss, see `sknn.preprocessing.ValueCodec`.
    quantile : float, array-like or None, default=None
        Levels of ``loss='quantile'``.
    standardize_target : bool, default=True
        Whether y is standardised.
    loss_params : mapping
        Further settings of the loss.
    predictor : ValuePredictor
        Predictor of the estimator.
    scales_all : bool, default=False
        Whether all losses scale y, see `sknn.preprocessing.ValueCodec`.
    """

    loss: Loss
    quantile: float | ArrayLike | None = None
    standardize_target: bool = True
    loss_params: Mapping[str, Any] = field(default_factory=dict)
    predictor: ValuePredictor = field(default_factory=CodecPredictor)
    scales_all: bool = False

    @classmethod
    def of(cls, estimator: BaseEstimator, *, scales_all: bool = False) -> ValueTarget:
        """Return the target for an estimator's parameters."""
        return cls(
            estimator.loss,
            estimator.quantile,
            estimator.standardize_target,
            nested_arguments(estimator, "loss"),
            scales_all=scales_all,
        )

    @property
    def scores_loss(self) -> bool:
        """Whether the loss is the default score, see `sknn.losses.ValueLoss`."""
        return find_value_loss(self.loss).scores_loss

    @property
    def is_positive(self) -> bool:
        """Whether y must not be negative; False for a loss that is unknown, as in `get_tags`."""
        loss = VALUE_LOSSES.get(self.loss) if isinstance(self.loss, str) else self.loss
        return bool(getattr(loss, "lowest", ""))

    def obstacle_to_partial_fit(self) -> None:
        """Return None: numbers may come a part at a time."""

    def check(
        self, estimator: BaseEstimator, y: ArrayLike | None, X: Samples | None = None
    ) -> np.ndarray:
        """Return y checked, of one axis or two."""
        return _check_target(estimator, y, read_values)

    def weigh(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the sample weights: there are no classes."""
        return sample_weight

    def fit_codec(
        self, y: np.ndarray, sample_weight: np.ndarray | None, classes: ArrayLike | None = None
    ) -> ValueCodec:
        """Return a codec of the range of y."""
        settings = dict(self.loss_params)
        if self.quantile is not None:
            if "quantiles" not in find_value_loss(self.loss).settings:
                raise ValueError(
                    f"quantile={self.quantile!r} is for loss='quantile', but loss is "
                    f"{self.loss!r}. Leave it out, or change the loss."
                )
            settings["quantiles"] = self.quantile
        codec = ValueCodec(self.loss, self.standardize_target, settings, scales_all=self.scales_all)
        return codec.fit(y, sample_weight)

    def make_survey(self) -> ValueSurvey:
        """Return what looks at chunks of y."""
        return ValueSurvey(self)

    def refit_codec(self, codec: ValueCodec, training: Sample) -> ValueCodec:
        """Return a codec that knows the values of the training samples alone."""
        # Means and deviations of held-out samples would leak into what is judged on them.
        return self.fit_codec(training.y, training.sample_weight)

    def check_same(self, codec: ValueCodec, y: np.ndarray) -> None:
        """Accept every y; `ValueCodec.encode` checks the number of columns."""

    def fitted_attributes(self, codec: ValueCodec) -> dict[str, np.ndarray]:
        """Return ``target_mean_`` and ``target_scale_``."""
        return {"target_mean_": codec.mean_, "target_scale_": codec.scale_}

    def score(
        self,
        codec: ValueCodec,
        y: np.ndarray,
        output: np.ndarray,
        sample_weight: np.ndarray | None,
    ) -> float:
        """Return R², or of quantiles D², of raw predictions against encoded y."""
        return codec.score(y, output, sample_weight)

    def calibrate(self, codec: ValueCodec, plan: TrainPlan, result: TrainResult) -> ValueCodec:
        """Return the codec, with quantiles and intervals that hold on the held-out samples."""
        held_out = plan.validation
        if held_out is None and codec.conformity_ is None:
            return codec
        codec = copy.copy(codec)  # that of an earlier fit stays as it is
        if held_out is None:
            codec.conformity_ = None  # errors of the network as it was before
            return codec
        # Split conformal prediction: samples that training has not seen err as new ones will, so
        # that ranks of their errors hold for those.
        output = forward(result.net, held_out.X)
        codec.calibrate(held_out.y, output, held_out.sample_weight)
        calibrate_intervals(codec, held_out.y, output, held_out.sample_weight)
        return codec


ClassParts = PartsOf[InputReader, ClassTarget, NetworkBuilder, Training]
ValueParts = PartsOf[InputReader, ValueTarget, NetworkBuilder, Training]
#: of classes or numbers
TargetT = TypeVar("TargetT", ClassTarget, ValueTarget)


def _check_target(
    estimator: BaseEstimator, y: ArrayLike | None, read: Callable[[ArrayLike], np.ndarray]
) -> np.ndarray:
    """Return y as `read` does, checked by scikit-learn, a single column made flat."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )
    if is_plain_column(y) and len(y):
        return y
    table = read_incomplete_target(y)
    if table is not None:
        return table
    checked = read(y)
    if checked.dtype.kind not in "biuf" or sparse.issparse(checked):
        checked = check_y(checked, multi_output=True, estimator=estimator)
    is_column = checked.ndim == 2 and checked.shape[1] == 1
    return column_or_1d(checked, warn=True) if is_column else checked


def read_incomplete_target(y: ArrayLike | None) -> np.ndarray | None:
    """Return y as floats if it has several columns of numbers, and NaN; else None."""
    # NaN in a single column is for `check_y` to refuse, as such a sample teaches nothing.
    if sparse.issparse(y):
        return None
    try:
        values = np.asarray(y)
        if values.ndim != 2 or values.shape[1] < 2 or values.dtype.kind not in "fO":
            return None
        table = check_array(y, dtype=np.float64, ensure_all_finite="allow-nan")
    except Exception:  # text, infinity, what is no array: `read_values` says what is wrong
        return None
    return table if has_missing_values(table) else None


def score_known_labels(
    table: np.ndarray, predicted: np.ndarray, sample_weight: ArrayLike | None
) -> float:
    """Return the share of sets (n_samples, n_labels) whose known labels, not NaN, are all right."""
    is_right = ((predicted == table) | np.isnan(table)).all(axis=1)
    weights = None if sample_weight is None else np.asarray(sample_weight)
    return float(np.average(is_right, weights=weights))


def _balance_classes(y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Return sample weights that make classes weigh the same; of several labels their product."""
    y = to_dense(y)
    weight = np.ones(len(y))
    if sample_weight is not None and not sample_weight.all():  # a class of weight 0 is none
        kept = np.flatnonzero(sample_weight)
        weight[kept] = _balance_classes(y[kept], sample_weight[kept])
        return weight
    for column in y.reshape(len(y), -1).T:
        classes, codes = np.unique(column, return_inverse=True)
        of_class = compute_class_weight(
            "balanced", classes=classes, y=column, sample_weight=sample_weight
        )
        weight *= of_class[codes]
    return weight
