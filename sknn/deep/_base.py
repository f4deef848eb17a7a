"""What all deep estimators share: fit is prepare, train, finish."""

from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn._sklearn import fit_context
from sknn._specs import InputSpec, TrainConfig, TrainPlan, TrainResult
from sknn._validation import is_clean_array, local_random_state, validated_weights
from sknn.engine import forward, layer_weights, train

FLOATS = (np.float64, np.float32)
OUT_ACTIVATIONS = {
    "log_loss": "softmax",
    "binary_log_loss": "logistic",
    "squared_error": "identity",
    "poisson": "exp",
}


class DeepEstimator(BaseEstimator, ABC):
    """Fit and the fitted attributes; tasks and architectures fill in the hooks."""

    @abstractmethod
    def _shaping_params(self) -> dict[str, Any]:
        """Return the parameters that a network cannot change once it exists, checked."""

    @abstractmethod
    def _build_module(self, inputs: InputSpec, random_state: np.random.RandomState) -> Any:
        """Return the torch module with its first weights."""

    @abstractmethod
    def _check_data(self, X: Any, y: Any, **options: Any) -> tuple[Any, np.ndarray]:
        """Return X and y checked as scikit-learn's ``validate_data`` does."""

    @abstractmethod
    def _fit_codec(self, y: Any, sample_weight: Any, classes: Any) -> Any:
        """Return a new codec for y."""

    @abstractmethod
    def _score_output(self, y: np.ndarray, output: np.ndarray, sample_weight: Any) -> float:
        """Return the score of raw output against encoded y."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "DeepEstimator":
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. Sparse rows become dense a mini-batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels or an indicator matrix for a classifier, numbers for a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows; a row of weight 0 is left out.

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
        return self._fit(X, y, sample_weight)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool = False, classes: Any = None
    ) -> "DeepEstimator":
        before = dict(vars(self))
        try:
            plan = self._prepare(X, y, sample_weight, incremental=incremental, classes=classes)
            return self._finish(train(plan))
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, classes: Any
    ) -> TrainPlan:
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        previous = getattr(self, "_result", None) if incremental or self.warm_start else None
        shaping = self._shaping_params()
        if previous is not None:
            self._check_same_shape(shaping)
        X, y = self._check_data(
            X,
            y,
            reset=previous is None,
            dtype=self._input_dtype() if previous is None else self._inputs.dtype,
            accept_sparse="csr",
            multi_output=True,
        )
        dtype = str(X.dtype)
        sample_weight = validated_weights(sample_weight, X)
        random_state = local_random_state(self.random_state)
        module = None
        if previous is None:
            self._shaping = shaping
            self._codec = self._fit_codec(y, sample_weight, classes)
            self._inputs = InputSpec("table", X.shape[1], dtype)
            module = self._build_module(self._inputs, random_state)
        elif not incremental:
            self._check_same_target(y)
        y = self._codec.encode(y, dtype)
        if sample_weight is not None:
            X, y, sample_weight = _without_zero_weights(X, y, sample_weight.astype(dtype))
        return TrainPlan(
            module=module,
            X=X,
            y=y,
            sample_weight=sample_weight,
            config=self._train_config(),
            target=self._codec.spec_,
            score=self._score_output,
            random_state=random_state,
            previous=previous,
            incremental=incremental,
        )

    def _finish(self, result: TrainResult) -> "DeepEstimator":
        progress = result.progress
        self._result = result
        self.net_ = result.net
        self.n_iter_ = progress.n_epochs
        self.best_iter_ = progress.best_epoch
        self.t_ = progress.n_rows_seen
        self.loss_ = progress.loss
        self.best_loss_ = progress.best_loss
        self.loss_curve_ = progress.loss_curve
        self.validation_scores_ = progress.validation_scores
        self.best_validation_score_ = progress.best_score
        self.n_layers_ = len(self.module_.describe()) + 1
        self.n_outputs_ = self._codec.spec_.n_outputs
        self.out_activation_ = OUT_ACTIVATIONS[self._codec.spec_.loss]
        return self

    def _input_dtype(self) -> Any:
        """Return the dtype that X is to have; scikit-learn keeps one of several."""
        return FLOATS if self.dtype == "auto" else self.dtype

    def _train_config(self) -> TrainConfig:
        names = [field.name for field in fields(TrainConfig) if hasattr(self, field.name)]
        values = {name: getattr(self, name) for name in names}
        return TrainConfig(**{name: _plain(value) for name, value in values.items()})

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

    def _forward(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        dtype, named = self._inputs.dtype, hasattr(self, "feature_names_in_")
        if named or not is_clean_array(X, self.n_features_in_, dtype):
            X = validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=False)
        return forward(self.net_, X)

    @property
    def module_(self) -> Any:
        """The trained ``torch.nn.Module``."""
        check_is_fitted(self, "net_")
        return self.net_.module_

    @property
    def device_(self) -> str:
        """Where the network is, as torch names it."""
        check_is_fitted(self, "net_")
        return str(self.net_.device)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights of each layer, of shape (n_inputs, n_outputs), to read and to write."""
        check_is_fitted(self, "net_")
        return layer_weights(self.net_)[0]

    @coefs_.setter
    def coefs_(self, arrays: list[np.ndarray]) -> None:
        self.coefs_[:] = arrays

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases of each layer, of shape (n_outputs,), to read and to write."""
        check_is_fitted(self, "net_")
        return layer_weights(self.net_)[1]

    @intercepts_.setter
    def intercepts_(self, arrays: list[np.ndarray]) -> None:
        self.intercepts_[:] = arrays

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _plain(value: Any) -> Any:
    """Return Python's number for NumPy's, which torch does not always take."""
    return value.item() if isinstance(value, np.generic) else value


def _without_zero_weights(X: Any, y: np.ndarray, sample_weight: np.ndarray) -> tuple:
    """Leave out the rows of weight 0, so that they cannot change the make-up of the batches."""
    kept = np.flatnonzero(sample_weight)
    if len(kept) == 0:
        raise ValueError(
            f"All of sample_weight are so small that they are 0 in {sample_weight.dtype}. "
            "Multiply them by a large number."
        )
    if len(kept) == len(sample_weight):
        return X, y, sample_weight
    return X[kept], y[kept], sample_weight[kept]
