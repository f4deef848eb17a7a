"""What happens after each epoch: score held-out rows, say so, stop or slow down."""

from collections.abc import Callable

import numpy as np
from skorch.callbacks import Callback

from sknn._specs import Progress, TrainConfig
from sknn.engine._data import Rows
from sknn.engine._optimizers import get_learning_rate, set_learning_rate
from sknn.engine._predict import raw_output

Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


class StopTraining(Exception):  # noqa: N818 - an event, not an error
    """Ends the epochs; raised by the last callback, so that all others have seen the epoch."""


class ValidationScore(Callback):
    """Record ``valid_score`` in the history, from held-out rows.

    Parameters
    ----------
    rows : Rows
        Held out, with targets.
    y, sample_weight : ndarray
        Their encoded targets and weights; the weights may be None.
    score : callable
        See `sknn._specs.TrainPlan`.
    """

    def __init__(self, rows: Rows, y: np.ndarray, sample_weight: np.ndarray | None, score: Score):
        self.rows, self.y, self.sample_weight, self.score = rows, y, sample_weight, score

    def on_epoch_end(self, net, **kwargs):
        """Score; NaN where the network's output is not finite."""
        output = raw_output(net, self.rows)
        finite = np.isfinite(output).all()
        score = float(self.score(self.y, output, self.sample_weight)) if finite else float("nan")
        net.history.record("valid_score", score)


class EpochLog(Callback):
    """Print a line an epoch, in scikit-learn's words."""

    def on_epoch_end(self, net, **kwargs):
        """Print the loss, and the validation score if there is one."""
        row = net.history[-1]
        print(f"Iteration {row['epoch']}, loss = {row['train_loss']:.8f}")  # noqa: T201
        if "valid_score" in row:
            print(f"Validation score: {row['valid_score']:f}")  # noqa: T201


class EpochEnd(Callback):
    """Keep count, keep the best weights, and apply scikit-learn's rules for going on.

    Must be the last callback.

    Parameters
    ----------
    config : TrainConfig
        Its ``tol``, ``n_iter_no_change``, ``learning_rate``, ``power_t``, ``early_stopping`` and
        ``verbose`` are used.
    progress : Progress
        Changed in place.
    n_rows : int
        Training rows, without those held out.
    """

    def __init__(self, config: TrainConfig, progress: Progress, n_rows: int):
        self.config, self.progress, self.n_rows = config, progress, n_rows
        self.best_weights: dict | None = None

    def on_train_begin(self, net, **kwargs):
        """Remember the weights that training starts from."""
        if self.config.early_stopping:
            self._keep_weights(net)

    def on_epoch_end(self, net, **kwargs):
        """Count, compare with the best so far, set the learning rate, and stop if it is time."""
        row, progress = net.history[-1], self.progress
        progress.n_epochs += 1
        progress.n_rows_seen += self.n_rows
        progress.loss = row["train_loss"]
        progress.loss_curve.append(progress.loss)
        if self.config.early_stopping:
            self._compare_score(net, row["valid_score"])
        else:
            self._compare_loss(progress.loss)
        if not np.isfinite(progress.loss):
            progress.stopped_because = "diverged"
            raise StopTraining
        if self.config.solver == "sgd" and self.config.learning_rate == "invscaling":
            slower = (progress.n_rows_seen + 1) ** self.config.power_t
            set_learning_rate(net.optimizer_, self.config.learning_rate_init / slower)
        if progress.n_stalled > self.config.n_iter_no_change:
            self._slow_down_or_stop(net)

    def _compare_score(self, net, score: float) -> None:
        progress = self.progress
        progress.validation_scores.append(score)
        stalled = score < progress.best_score + self.config.tol
        progress.n_stalled = progress.n_stalled + 1 if stalled else 0
        if score > progress.best_score:
            progress.best_score, progress.best_epoch = score, progress.n_epochs
            self._keep_weights(net)

    def _compare_loss(self, loss: float) -> None:
        progress = self.progress
        stalled = loss > progress.best_loss - self.config.tol
        progress.n_stalled = progress.n_stalled + 1 if stalled else 0
        progress.best_loss = min(loss, progress.best_loss)
        progress.best_epoch = progress.n_epochs

    def _keep_weights(self, net) -> None:
        state = net.module_.state_dict()
        if self.best_weights is None:
            self.best_weights = {name: value.clone() for name, value in state.items()}
        for name, value in state.items():
            self.best_weights[name].copy_(value)

    def _slow_down_or_stop(self, net) -> None:
        watched = "Validation score" if self.config.early_stopping else "Training loss"
        message = (
            f"{watched} did not improve more than tol={self.config.tol:f} for "
            f"{self.config.n_iter_no_change} consecutive epochs."
        )
        if self.config.solver == "sgd" and self.config.learning_rate == "adaptive":
            if get_learning_rate(net.optimizer_) > 1e-6:
                slower = get_learning_rate(net.optimizer_) / 5
                set_learning_rate(net.optimizer_, slower)
                self.progress.n_stalled = 0
                self._say(f"{message} Setting learning rate to {slower:f}")
                return
            message += " Learning rate too small."
        self._say(f"{message} Stopping.")
        self.progress.stopped_because = "converged"
        raise StopTraining

    def _say(self, message: str) -> None:
        if self.config.verbose:
            print(message)  # noqa: T201
