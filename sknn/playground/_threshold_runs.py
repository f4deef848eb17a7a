"""The first rungs: Rosenblatt's perceptron sample by sample, and threshold units set by hand."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sknn.playground._estimators import make_estimator
from sknn.playground._frames import NetworkCopy
from sknn.playground._problems import Problem
from sknn.playground._runs import Run
from sknn.playground._settings import GATES, Settings
from sknn.threshold import AND, ThresholdNetwork

_CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
#: samples after which playing a perceptron ends
_MOST_SAMPLES = 100_000


class PerceptronRun(Run):
    """A `PerceptronClassifier` that is given one sample a step.

    Parameters
    ----------
    settings : Settings
        Settings of the model.
    problem : Problem
        Samples to train on.
    publish : callable
        Function that publishes messages, see `Run`.

    Raises
    ------
    ValueError
        If the problem has no classes.
    """

    def __init__(
        self,
        settings: Settings,
        problem: Problem,
        publish: Callable[[bytes | dict[str, Any]], None],
    ):
        if problem.kind != "classification":
            raise ValueError("The perceptron learns classes. Choose data of a classification.")
        super().__init__(problem, publish, settings.speed)
        self.estimator = make_estimator(settings, problem.kind, len(problem.y_train), 1)
        self._n_units = 1 if len(problem.classes) == 2 else len(problem.classes)
        self._sample: int | None = None
        self._was_wrong = False
        self._n_changes = 0

    def _loop(self) -> None:
        self._between_steps()
        X, y, classes = self.problem.X_train, self.problem.y_train, range(len(self.problem.classes))
        while self.n_steps < _MOST_SAMPLES:
            self._sample = i = self.n_steps % len(y)
            before = self.network()
            self.estimator.partial_fit(X[[i]], y[[i]], classes=list(classes))
            after = self.network()
            self._was_wrong = not (
                np.array_equal(before.coefs[0], after.coefs[0])
                and np.array_equal(before.intercepts[0], after.intercepts[0])
            )
            self._n_changes += self._was_wrong
            self.n_steps += 1
            if self.n_steps % len(y) == 0:
                self._record(self._measure_errors())
            self._between_steps()

    def _measure_errors(self) -> dict[str, float]:
        problem, model = self.problem, self.estimator
        score = model.score(problem.X_test, problem.y_test)
        train = model.score(problem.X_train, problem.y_train)
        losses = {"loss": 1 - train, "validation_loss": 1 - score}
        return {**losses, "score": train, "validation_score": score}

    def network(self) -> NetworkCopy:
        """Return a copy of the weights, 0 before the first sample."""
        if not hasattr(self.estimator, "coef_"):
            n_features = self.problem.X_train.shape[1]
            coef, intercept = np.zeros((n_features, self._n_units)), np.zeros(self._n_units)
        else:
            coef, intercept = self.estimator.coef_.T.copy(), self.estimator.intercept_.copy()
        last = "heaviside" if self._n_units == 1 else "softmax"
        return NetworkCopy([coef], [intercept], [last])

    def _make_notes(self) -> Mapping[str, Any]:
        if self._sample is None:
            return {}
        point = self.problem.points_train[self._sample].tolist()
        return {"sample": point, "was_wrong": self._was_wrong, "n_changes": self._n_changes}

    def _apply(self, edit: tuple[int, int, int, float]) -> None:
        raise ValueError("The perceptron's weights come from its samples; step to change them.")

    def set_weight(self, layer: int, row: int, column: int, value: float) -> None:
        """Refuse: the weights come from the samples alone."""
        self._apply((layer, row, column, value))


class UnitsRun(Run):
    """Threshold units whose weights are set by hand; a step does nothing.

    Parameters
    ----------
    settings : Settings
        ``model='gate'`` is a single unit, ``'xor'`` the three of the lecture.
    publish : callable
        Function that publishes messages, see `Run`.
    """

    def __init__(self, settings: Settings, publish: Callable[[bytes | dict[str, Any]], None]):
        super().__init__(make_gate_problem(settings), publish)
        if settings.model == "gate":
            unit = AND()
            layers = [(np.array(unit.coef_.T, dtype=float), np.array(unit.intercept_, dtype=float))]
            self._names = [["a", "b"], ["output"]]
        else:
            network = ThresholdNetwork.from_expression("(a or b) and not (a and b)")
            pairs = zip(network.coefs_, network.intercepts_, strict=True)
            layers = [(np.array(c, dtype=float), np.array(b, dtype=float)) for c, b in pairs]
            self._names = [["a", "b"], *network.unit_names]
        self._layers = layers

    def _loop(self) -> None:
        while True:
            self._between_steps()
            self.n_steps = 0

    def network(self) -> NetworkCopy:
        """Return a copy of the weights."""
        coefs, intercepts = ([part[i].copy() for part in self._layers] for i in (0, 1))
        return NetworkCopy(coefs, intercepts, ["heaviside"] * len(self._layers))

    def _apply(self, edit: tuple[int, int, int, float]) -> None:
        layer, row, column, value = edit
        coef, intercept = self._layers[layer]
        if row < 0:
            intercept[column] = value
        else:
            coef[row, column] = value

    def _make_notes(self) -> Mapping[str, Any]:
        values = self.network().compute_layers(_CORNERS.astype(float))
        table = np.hstack(values).astype(int).tolist()
        wanted = self.problem.y_train.tolist()
        return {"truth_table": table, "names": self._names, "wanted": wanted}


def make_gate_problem(settings: Settings) -> Problem:
    """Return the four lines of a truth table as a problem.

    Parameters
    ----------
    settings : Settings
        Its ``gate`` has the outputs; XOR's if ``model='xor'``.

    Returns
    -------
    Problem
        All four are for training and for testing.
    """
    y = np.array(GATES["xor" if settings.model == "xor" else settings.gate])
    points = _CORNERS.astype(float)
    return Problem(
        kind="classification",
        feature_names=("a", "b"),
        classes=("0", "1"),
        axis_names=("a", "b"),
        bounds=np.array([[-0.5, 1.5], [-0.5, 1.5]]),
        points_train=points,
        points_test=points,
        X_train=points,
        X_test=points,
        y_train=y,
        y_test=y,
        to_features=lambda points: points,
    )
