"""What all deep estimators share: fit is prepare, train, finish."""

import copy
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sknn._saved import SavedState
from sknn._sklearn import CallbackSupportMixin, fit_context, take_rows, with_callbacks
from sknn._specs import InputSpec, Progress, Sample, TrainConfig, TrainPlan, TrainResult
from sknn._validation import local_random_state, restore_on_error, validated_weights
from sknn.deep._fitted import FittedNet, ShortState
from sknn.deep._held_out import output_scorer, split_rows
from sknn.deep._params import read_training_params
from sknn.deep._sklearn_callbacks import CallbackWatcher
from sknn.engine import forward, snapshot, train


class DeepEstimator(ShortState, FittedNet, SavedState, CallbackSupportMixin, BaseEstimator, ABC):
    """Fit and the fitted attributes; tasks and architectures fill in the hooks."""

    _packages = ("sklearn", "torch")

    @abstractmethod
    def _shaping_params(self) -> dict[str, Any]:
        """Return the parameters that a network cannot change once it exists, checked."""

    @abstractmethod
    def _build_module(self, inputs: InputSpec, random_state: np.random.RandomState) -> Any:
        """Return the torch module with its first weights."""

    @abstractmethod
    def _check_inputs(self, X: Any, *, reset: bool) -> Any:
        """Return X checked, before it is encoded; with `reset`, note its columns."""

    @abstractmethod
    def _weight_dtype(self, X: Any) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""

    @abstractmethod
    def _fit_encoder(self, X: Any, sample_weight: np.ndarray | None) -> Any:
        """Return an encoder fitted on training rows, with its `InputSpec` in ``spec_``."""

    @abstractmethod
    def _check_y(self, y: Any) -> np.ndarray:
        """Return y checked, of one axis or two."""

    @abstractmethod
    def _fit_codec(self, y: Any, sample_weight: Any, classes: Any) -> Any:
        """Return a new codec for y."""

    @abstractmethod
    def _score_output(self, y: np.ndarray, output: np.ndarray, sample_weight: Any) -> float:
        """Return the default score of raw output against encoded y."""

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training rows. Sparse rows become dense a mini-batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels or an indicator matrix for a classifier, numbers for a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows; a row of weight 0 is left out.
        X_val, y_val : as X and y, default=None
            Rows to validate on, in place of rows held out by `early_stopping`. Without it they
            are only scored after each epoch, see ``history_``. In a ``Pipeline`` let X_val be
            transformed as X is: ``Pipeline(steps, transform_input=["X_val"])``.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the validation rows.

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
        watcher = self._watcher(X, y, sample_weight)
        validation = validation_of(X_val, y_val, sample_weight_val)
        self._fit(X, y, sample_weight, validation=validation, watcher=watcher)
        if watcher is not None:
            watcher.fit_ends()
        return self

    def _watcher(self, X: Any, y: Any, sample_weight: Any) -> CallbackWatcher | None:
        """Return what tells scikit-learn's callbacks of the epochs, if there are any."""
        if not getattr(self, "_skl_callbacks", None):
            return None
        context = self._init_callback_context(max_subtasks=self.max_iter)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        watcher = CallbackWatcher(
            self, context, {"X": X, "y": y, "metadata": metadata}, self._fitted_at
        )
        watcher.fit_begins()
        return watcher

    def _fit(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> "DeepEstimator":
        with restore_on_error(self):
            plan = self._prepare(X, y, sample_weight, **options)
            return self._finish_fit(plan, train(plan))

    def _prepare(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        incremental: bool = False,
        classes: Any = None,
        validation: tuple | None = None,
        watcher: Any = None,
    ) -> TrainPlan:
        """Return the plan to train by; sets what is known of the data before training."""
        if incremental and self.early_stopping is True:
            raise ValueError("partial_fit does not support early_stopping=True")
        previous = getattr(self, "_result", None) if incremental or self.warm_start else None
        shaping = self._shaping_params()
        if previous is not None:
            self._check_same_shape(shaping)
        X, y = self._check_inputs(X, reset=previous is None), self._check_y(y)
        check_consistent_length(X, y)
        sample_weight = self._class_weighted(y, validated_weights(sample_weight, X))
        random_state = local_random_state(self.random_state)
        module = None
        if previous is None:
            self._shaping = shaping
            self._codec = self._fit_codec(y, sample_weight, classes)
        elif not incremental:
            self._check_same_target(y)
        if sample_weight is not None:
            dtype = self._weight_dtype(X)
            X, y, sample_weight = without_zero_weights(X, y, sample_weight, dtype)
        whole = Sample(X, y, sample_weight)
        config = self._train_config(y.shape[0], incremental, validation is not None)
        if previous is None:
            self._set_encoder(whole)
        if previous is None and self._encoder.is_identity_:  # scikit-learn's order of chance
            module = self._build_module(self._inputs, random_state)
            part, held_out = self._split(whole, validation, config, random_state)
        else:
            part, held_out = self._split(whole, validation, config, random_state)
            if previous is None and part is not whole:
                self._set_encoder(part)
            if previous is None:
                module = self._build_module(self._inputs, random_state)
        if previous is None and held_out is not None:
            self._refit_codec(part)
        part, held_out = self._encoded(part), self._encoded(held_out)
        scoring, codec = self.scoring, self._codec
        own = scoring is None or scoring == "loss"
        return TrainPlan(
            module=module,
            X=part.X,
            y=part.y,
            sample_weight=part.sample_weight,
            config=config,
            target=codec.spec_,
            score=self._score_output if own else output_scorer(self, scoring),
            random_state=random_state,
            validation=held_out,
            watcher=watcher,
            previous=previous,
            incremental=incremental,
        )

    def _prepare_as(self, other: "DeepEstimator", plan: TrainPlan) -> TrainPlan:
        """Return the plan that `_prepare` would, in far less time.

        Parameters
        ----------
        other : DeepEstimator
            Of this class, with equal parameters but for
            `sknn.deep._params.FOR_TRAINING_ALONE`. It was prepared for the samples that are this
            one's too, with an int as random state, and is not yet trained.
        plan : TrainPlan
            That it was prepared with.

        Returns
        -------
        TrainPlan
            With a module and a random state of its own.
        """
        params = self.get_params(deep=False)
        vars(self).update({name: v for name, v in vars(other).items() if name not in params})
        held_out = vars(self).get("_last_split")
        n_samples = len(plan.y) if held_out is None else sum(map(len, held_out))
        own = self.scoring is None or self.scoring == "loss"
        return replace(
            plan,
            module=copy.deepcopy(plan.module),
            config=self._train_config(
                n_samples, False, held_out is None and plan.validation is not None
            ),
            score=self._score_output if own else output_scorer(self, self.scoring),
            random_state=copy.deepcopy(plan.random_state),
        )

    def _set_encoder(self, sample: Sample) -> None:
        self._encoder = self._fit_encoder(sample.X, sample.sample_weight)
        self._inputs = self._encoder.spec_

    def _split(
        self,
        whole: Sample,
        validation: tuple | None,
        config: TrainConfig,
        random_state: np.random.RandomState,
    ) -> tuple[Sample, Sample | None]:
        """Return the rows to train on and those to validate on."""
        if validation is not None:
            return whole, self._validation_sample(*validation)
        if not config.early_stopping or self.solver == "lbfgs":
            return whole, None
        rows = getattr(self, "_interrupted_split", None)
        if rows is None or whole.y.shape[0] != sum(map(len, rows)):
            y, kind = self._codec.encode(whole.y, np.float64), self._codec.spec_.kind
            rows = split_rows(y, kind, self.validation_fraction, random_state)
        self._last_split = rows
        return _take(whole, rows[0]), _take(whole, rows[1])

    def _validation_sample(self, X: Any, y: Any, sample_weight: Any) -> Sample:
        X, y = self._check_inputs(X, reset=False), self._check_y(y)
        check_consistent_length(X, y)
        weight = self._class_weighted(y, validated_weights(sample_weight, X))
        return Sample(X, y, weight)

    def _encoded(self, sample: Sample | None) -> Sample | None:
        if sample is None:
            return None
        X, weight = self._encoder.encode(sample.X), sample.sample_weight
        dtype = str(X.dtype)
        weight = None if weight is None else weight.astype(dtype)
        return Sample(X, self._codec.encode(sample.y, dtype), weight)

    @abstractmethod
    def _class_weighted(self, y: np.ndarray, sample_weight: Any) -> Any:
        """Return the weights of the rows times those of their classes."""

    def _refit_codec(self, sample: Sample) -> None:
        """Learn again from the training rows alone what a codec learns of the values of y."""

    def _finish_fit(self, plan: TrainPlan, result: TrainResult) -> "DeepEstimator":
        """Do all that comes after training by a plan."""
        self._calibrate(plan, result)
        return self._finish(result)

    def _calibrate(self, plan: TrainPlan, result: TrainResult) -> None:
        """Adjust predictions on rows that were not trained on, where there are any."""

    def _finish(self, result: TrainResult) -> "DeepEstimator":
        split = vars(self).pop("_last_split", None)
        vars(self).pop("_interrupted_split", None)
        if result.resume is not None and split is not None:
            self._interrupted_split = split
        vars(self).update(self._fitted_attributes(result))
        return self

    def _fitted_attributes(self, result: TrainResult) -> dict[str, Any]:
        progress = result.progress
        return {
            "_result": result,
            "net_": result.net,
            "n_iter_": progress.n_epochs,
            "best_iter_": progress.best_epoch,
            "t_": progress.n_rows_seen,
            "loss_": progress.loss,
            "best_loss_": progress.best_loss,
            "loss_curve_": progress.loss_curve,
            "validation_scores_": progress.validation_scores,
            "validation_loss_curve_": progress.validation_losses,
            "best_validation_score_": progress.best_score,
            "history_": progress.history,
            "n_outputs_": self._codec.spec_.n_outputs,
            "out_activation_": self._codec.out_activation_,
        }

    def _fitted_at(self, net: Any, progress: Progress) -> dict[str, Any]:
        """Return what `_finish` would set if training ended now, on weights of their own."""
        return self._fitted_attributes(TrainResult(snapshot(net), copy.deepcopy(progress)))

    def _train_config(self, n_samples: int, incremental: bool, has_validation: bool) -> TrainConfig:
        """Return the parameters that say how to train, in the engine's words."""
        values = read_training_params(self)
        scores_loss = self.scoring == "loss" or (self.scoring is None and self._scores_loss())
        values.update(
            stop_on_loss=scores_loss,
            precision=self.dtype if self.dtype in ("tf32", "bfloat16") else "full",
            callbacks=() if self.callbacks is None else self.callbacks,
            solver_params=self._nested_arguments("solver"),
            learning_rate_params=self._nested_arguments("learning_rate"),
            **self._automatic(n_samples, incremental, has_validation),
        )
        return TrainConfig(**values)

    def _automatic(self, n_samples: int, incremental: bool, has_validation: bool) -> dict[str, Any]:
        """Return fields of `TrainConfig` that depend on the data, as 'auto' of some parameters."""
        return {}

    def _scores_loss(self) -> bool:
        """Tell whether the loss is the default score."""
        return False

    def _check_same_shape(self, shaping: dict[str, Any]) -> None:
        changes = [
            f"{name} was {self._shaping[name]!r} and is {value!r} now"
            for name, value in shaping.items()
            if value != self._shaping[name]
        ]
        if changes:
            raise ValueError(
                "warm_start and partial_fit go on training the network of the earlier call, but "
                f"{', '.join(changes)}. Set it back, or fit with warm_start=False."
            )

    def _check_same_target(self, y: Any) -> None:
        """Raise ValueError if y cannot follow the y of the earlier fit (``warm_start``)."""

    def _check_solver(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def _encoded_inputs(self, X: Any) -> Any:
        """Return rows as the network gets them."""
        check_is_fitted(self)
        return self._encoder.encode(self._check_inputs(X, reset=False))

    def _forward(self, X: Any) -> np.ndarray:
        rows = self._encoded_inputs(X)  # which says so if there is no net yet
        return forward(self.net_, rows)


def _take(sample: Sample, rows: np.ndarray) -> Sample:
    weight = None if sample.sample_weight is None else sample.sample_weight[rows]
    return Sample(take_rows(sample.X, rows), sample.y[rows], weight)


def validation_of(X_val: Any, y_val: Any, sample_weight_val: Any) -> tuple | None:
    """Return the validation rows given to ``fit`` as one thing, None where there are none."""
    given = {"X_val": X_val, "y_val": y_val}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == 1:
        (other,) = given.keys() - set(missing)
        raise ValueError(f"{other} is provided, but {missing[0]} was not provided.")
    if not missing:
        return X_val, y_val, sample_weight_val
    if sample_weight_val is not None:
        raise ValueError("sample_weight_val is provided, but X_val and y_val were not provided.")
    return None


def without_zero_weights(X: Any, y: np.ndarray, sample_weight: np.ndarray, dtype: str) -> tuple:
    """Leave out samples whose weight is 0 in a dtype, so that they cannot change the batches."""
    sample_weight = sample_weight.astype(dtype)
    kept = np.flatnonzero(sample_weight)
    if len(kept) == 0:
        raise ValueError(
            f"All of sample_weight are so small that they are 0 in {sample_weight.dtype}. "
            "Multiply them by a large number."
        )
    if len(kept) == len(sample_weight):
        return X, y, sample_weight
    return take_rows(X, kept), y[kept], sample_weight[kept]
