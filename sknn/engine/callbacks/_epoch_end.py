"""What happens after each epoch: score, take note, stop or slow down."""

from collections.abc import Callable
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from sknn._specs import Progress, Sample, TrainConfig, TrainPlan
from sknn.engine.data._batches import Rows, target_and_weight
from sknn.engine.data._forward import as_array, raw_output
from sknn.engine.optimizers._optimizers import get_learning_rate

Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


class StopTraining(Exception):  # noqa: N818 - an event, not an error
    """Ends the epochs; raised by the last callback, so that all others have seen the epoch."""


class Validation(Callback):
    """Record loss and score of the validation rows, and the score of the training rows.

    The training score is that of the outputs during the epoch, each before the step of its
    batch, so it costs no second pass. The names in the net's history are skorch's.

    Parameters
    ----------
    sample : Sample
        To validate on.
    rows : Rows
        The same on the device of the net.
    score : callable
        See `sknn._specs.TrainPlan`.
    on_loss : bool
        Whether the score is the negative loss instead.
    of_training : bool, default=True
        Whether training rows are scored too.
    """

    def __init__(
        self, sample: Sample, rows: Rows, score: Score, on_loss: bool, of_training: bool = True
    ):
        self.sample, self.rows, self.score, self.on_loss = sample, rows, score, on_loss
        self.keeps_outputs = of_training and not on_loss

    def on_epoch_begin(self, net, **kwargs):
        """Let the net keep its outputs of this epoch."""
        net.outputs_of_epoch = [] if self.keeps_outputs else None

    def on_epoch_end(self, net, **kwargs):
        """Score; NaN where the network's output is not finite."""
        output, loss = self._validated(net)
        record = net.history.record
        record("valid_loss", loss)
        if self.on_loss:
            record("valid_score", -loss)
        else:
            record("valid_score", self._score(self.sample.y, output, self.sample.sample_weight))
            if net.outputs_of_epoch:  # L-BFGS keeps none
                record("train_score", self._score(*_joined(net.outputs_of_epoch)))
        net.outputs_of_epoch = None

    def _validated(self, net) -> tuple[np.ndarray, float]:
        """Return output and loss of the validation rows, if need be by computing them."""
        known, net.validated = net.validated, None
        if known is not None:
            return known
        output = raw_output(net, self.rows)
        return output, net.loss_of(output, self.rows)

    def _score(self, y: np.ndarray, output: np.ndarray, sample_weight: Any) -> float:
        finite = np.isfinite(output).all()
        return float(self.score(y, output, sample_weight)) if finite else float("nan")


def _joined(parts: list[tuple]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return encoded targets, outputs and weights of an epoch's batches, each in one array."""
    if len(parts) == 1:
        y, weight = target_and_weight(parts[0][0])
        weight = None if weight is None else weight.cpu().numpy()
        return y.cpu().numpy(), as_array(parts[0][1].detach()), weight
    pairs = [target_and_weight(target) for target, _ in parts]
    y = np.concatenate([y.cpu().numpy() for y, _ in pairs])
    output = np.concatenate([as_array(output.detach()) for _, output in parts])
    if pairs[0][1] is None:
        return y, output, None
    return y, output, np.concatenate([weight.cpu().numpy() for _, weight in pairs])


class EpochEnd(Callback):
    """Keep count, keep the best weights, and apply scikit-learn's rules for going on.

    Must be the last callback.

    Parameters
    ----------
    plan : TrainPlan
        Its config says when to stop, its watcher is told of the epochs.
    progress : Progress
        Changed in place.
    """

    def __init__(self, plan: TrainPlan, progress: Progress):
        self.plan, self.progress = plan, progress
        self.config: TrainConfig = plan.config
        self.by_epochs = plan.config.solver != "lbfgs"  # which has a rule of its own
        self.keeps_best = plan.config.early_stopping and self.by_epochs
        self.best_weights: dict | None = None

    def on_train_begin(self, net, **kwargs):
        """Remember the weights that training starts from."""
        if self.keeps_best and self.best_weights is None:
            self.keep_weights(net)

    def on_epoch_begin(self, net, **kwargs):
        """Tell the watcher."""
        if self.plan.watcher is not None:
            self.plan.watcher.epoch_begins()

    def on_epoch_end(self, net, **kwargs):
        """Count, compare with the best so far, set the learning rate, and stop if it is time."""
        progress = self.progress
        self._take_note(net)
        stop = self.plan.watcher is not None and self.plan.watcher.epoch_ends(net, progress)
        if not np.isfinite(progress.loss):
            progress.stopped_because = "diverged"
            raise StopTraining
        if stop or net.stop_asked:
            progress.stopped_because = "callback"
            raise StopTraining
        if not self.by_epochs:
            return
        watched = progress.loss
        if self.keeps_best:
            watched = net.history[-1, "valid_loss" if self.config.stop_on_loss else "valid_score"]
        net.schedule.after_epoch(net.optimizer_, progress, watched)
        patience = self.config.patience_share * progress.best_epoch
        if progress.n_stalled > max(self.config.n_iter_no_change, patience):
            self._slow_down_or_stop(net)
        if net.is_late():
            progress.stopped_because = "time_limit"
            raise StopTraining

    def _take_note(self, net) -> None:
        row, progress = net.history[-1], self.progress
        progress.n_epochs += 1
        progress.loss = row["train_loss"]
        progress.loss_curve.append(progress.loss)
        progress.note(epoch_row(net))
        if self.plan.validation is not None:
            progress.validation_losses.append(row["valid_loss"])
            progress.validation_scores.append(row["valid_score"])
        if not self.by_epochs:
            progress.best_loss, progress.best_epoch = progress.loss, progress.n_epochs
            return
        progress.n_rows_seen += min(row["train_batch_count"] * net.batch_size, len(self.plan.y))
        if self.keeps_best:
            self._compare_score(net, row["valid_score"])
        else:
            self._compare_loss(progress.loss)

    def _compare_score(self, net, score: float) -> None:
        progress = self.progress
        stalled = score < progress.best_score + self.config.tol
        progress.n_stalled = progress.n_stalled + 1 if stalled else 0
        if score > progress.best_score:
            progress.best_score, progress.best_epoch = score, progress.n_epochs
            self.keep_weights(net)

    def _compare_loss(self, loss: float) -> None:
        progress = self.progress
        stalled = loss > progress.best_loss - self.config.tol
        progress.n_stalled = progress.n_stalled + 1 if stalled else 0
        progress.best_loss = min(loss, progress.best_loss)
        progress.best_epoch = progress.n_epochs

    def keep_weights(self, net) -> None:
        """Copy the present weights to `best_weights`."""
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
        slower = net.schedule.slow_down(net.optimizer_)
        if slower is not None:
            self.progress.n_stalled = 0
            self._say(f"{message} Setting learning rate to {slower:f}")
            return
        if self.config.solver == "sgd" and self.config.learning_rate == "adaptive":
            message += " Learning rate too small."
        self._say(f"{message} Stopping.")
        self.progress.stopped_because = "converged"
        raise StopTraining

    def _say(self, message: str) -> None:
        if self.config.verbose:
            print(message)  # noqa: T201


#: name in the net's history -> name in `Progress.history`
COLUMNS = {
    "train_loss": "loss",
    "train_score": "score",
    "valid_loss": "validation_loss",
    "valid_score": "validation_score",
    "dur": "time",
}


def epoch_row(net: Any) -> dict[str, float]:
    """Return what a net noted of its last epoch, in the words of `Progress.history`."""
    last = net.history[-1]
    row = {name: last[key] for key, name in COLUMNS.items() if key in last}
    if "train_batch_count" in last:  # not an iteration of L-BFGS
        row["learning_rate"] = get_learning_rate(net.optimizer_)
    return row
