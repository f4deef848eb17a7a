"""Training of a deep estimator that stands still between its epochs whenever it is asked to."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sknn.engine import Net, NetCallback, get_layer_weights
from sknn.playground._estimators import MAX_EPOCHS, make_estimator
from sknn.playground._frames import NetworkCopy, compute_gradient_norms
from sknn.playground._problems import Problem
from sknn.playground._runs import Run
from sknn.playground._settings import Settings

#: columns of the history that the page draws or prints
CURVES = ("loss", "validation_loss", "score", "validation_score")


class NetworkRun(Run):
    """One call of ``fit`` of a `DeepMLPClassifier` or `DeepMLPRegressor`, in a thread.

    Parameters
    ----------
    settings : Settings
        Settings of the model.
    problem : Problem
        Samples to train on.
    publish : callable
        Function that publishes messages, see `Run`.
    """

    def __init__(
        self,
        settings: Settings,
        problem: Problem,
        publish: Callable[[bytes | dict[str, Any]], None],
    ):
        super().__init__(problem, publish, settings.speed)
        self.settings = settings
        self.estimator = make_estimator(
            settings, problem.kind, len(problem.y_train), MAX_EPOCHS
        ).set_params(callbacks=[NetCallback(self._see)])
        self._coefs: list[np.ndarray] = []
        self._intercepts: list[np.ndarray] = []
        hidden = [layer.activation for layer in settings.layers]
        last = {0: "identity", 2: "logistic"}.get(len(problem.classes), "softmax")
        self._activations = [*hidden, last]
        self._mean, self._scale = 0.0, 1.0

    def _loop(self) -> None:
        problem = self.problem
        self.estimator.fit(
            problem.X_train, problem.y_train, X_val=problem.X_test, y_val=problem.y_test
        )
        self._coefs, self._intercepts = self.estimator.coefs_, self.estimator.intercepts_

    def _see(self, net: Net, row: Mapping[str, float] | None) -> None:
        """Take note of an epoch, or of the beginning, and wait if the run is paused."""
        self._coefs, self._intercepts = get_layer_weights(net)
        if self.problem.kind == "regression":  # known to the estimator before training begins
            self._mean = self.estimator.target_mean_.item()
            self._scale = self.estimator.target_scale_.item()
        if row is not None:
            self.n_steps += 1
            self._record({name: row[name] for name in CURVES if name in row})
        self._between_steps()

    def network(self) -> NetworkCopy:
        """Return a copy of the weights."""
        return NetworkCopy(
            [np.array(coef, dtype=float) for coef in self._coefs],
            [np.array(intercept, dtype=float) for intercept in self._intercepts],
            self._activations,
            self._mean,
            self._scale,
        )

    def _make_notes(self) -> Mapping[str, Any]:
        target = self._encode(self.problem.y_train)
        with np.errstate(over="ignore", invalid="ignore"):
            norms = compute_gradient_norms(self.network(), self.problem.X_train, target)
        return {"gradients": norms}

    def _apply(self, edit: tuple[int, int, int, float]) -> None:
        layer, row, column, value = edit
        if row < 0:
            self._intercepts[layer][column] = value
        else:
            self._coefs[layer][row, column] = value

    def _encode(self, y: np.ndarray) -> np.ndarray:
        """Return targets of shape (n_samples, n_outputs) in the units of the last layer."""
        if self.problem.kind == "regression":
            return ((y - self._mean) / self._scale)[:, None]
        if len(self.problem.classes) == 2:
            return y[:, None].astype(float)
        return np.eye(len(self.problem.classes))[y]

    def fitted(self) -> BaseEstimator:
        """Return an estimator with the weights on the page, fitted for one epoch to be one."""
        problem, network = self.problem, self.network()
        params = {"callbacks": None, "max_iter": 1, "early_stopping": False}
        estimator = self.estimator.__class__(**{**self.estimator.get_params(), **params})
        estimator.fit(problem.X_train, problem.y_train)
        estimator.coefs_[:] = network.coefs
        estimator.intercepts_[:] = network.intercepts
        return estimator
