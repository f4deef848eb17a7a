"""Epochs that no callback or output needs one by one: computed and recorded together."""

from typing import cast

from sknn.engine._live_state import LiveState, Runner, UnseenEpochs
from sknn.engine.callbacks._kept_outputs import KeptOutputs
from sknn.engine.callbacks._stopping import make_row
from sknn.engine.callbacks._validation import Validation
from sknn.engine.optimizers._optimizers import get_learning_rate
from sknn.engine.optimizers._schedules import EpochSchedule

#: schedules whose rate changes only where `StoppingRule` counts epochs without an improvement
BY_STALLS = ("constant", "adaptive")


def are_epochs_unseen(run: LiveState) -> bool:
    """Return whether nothing happens between the coming epochs but a look at losses and scores."""
    # Callbacks, a display, an average of weights, restarts, a time limit, and a learning rate that
    # changes want to see each epoch; one that has begun is to end first.
    schedule = run.net.schedule
    return not (
        run.plan.incremental
        or run.plan.is_streamed
        or run.callbacks.of_user
        or run.display is not None
        or run.plan.watcher is not None
        or run.average is not None
        or run.dead_network is not None
        or run.deadline is not None
        or run.batches.is_open
        or not isinstance(schedule, EpochSchedule)
        or schedule.config.learning_rate not in BY_STALLS
        or schedule.per_step
    )


def count_epochs_at_once(run: LiveState, runner: Runner, n_left: int) -> int:
    """Return how many of the epochs that are left may be computed in one call."""
    if runner.epochs_at_once == 1 or not are_epochs_unseen(run):
        return 1
    return int(min(n_left, runner.epochs_at_once, run.stopping.count_sure_epochs()))


def note_epochs(run: LiveState, epochs: UnseenEpochs, seconds: float) -> None:
    """Note epochs in the history and in the progress, as one by one.

    Parameters
    ----------
    run : TrainingRun
        Without held-out samples its best loss and stalled epochs are those after the last of them.
    epochs : UnseenEpochs
        Losses and outputs of the epochs.
    seconds : float
        Time of all.
    """
    net, losses = run.net, epochs.losses
    mean_seconds, rate = seconds / len(losses), get_learning_rate(net.optimizer_)
    net.note_epochs(losses, run.n_batches, mean_seconds)
    if run.validation is None:
        run.stopping.take_note_of_many(losses, mean_seconds, rate, len(run.samples))
    else:
        rows = net.history[-len(losses) :]
        for i, row in enumerate(rows):
            row.update(_score(run, epochs, i), dur=row.pop("dur"))  # which comes last
        _compare_scores(run, epochs, [make_row(row, rate) for row in rows])
    # The last epoch is counted with a look at the rule.
    cast("EpochSchedule", net.schedule).n_epochs += len(losses) - 1


def _score(run: LiveState, epochs: UnseenEpochs, i: int) -> dict[str, float]:
    """Return losses and scores of an epoch with held-out samples."""
    outputs = epochs.outputs[i] if epochs.outputs else KeptOutputs()
    return cast("Validation", run.validation).evaluate(run.net, outputs, epochs.validated[i])


def _compare_scores(run: LiveState, epochs: UnseenEpochs, rows: list[dict[str, float]]) -> None:
    """Count epochs, and keep the weights of the best if that is among them."""
    best = None
    for i, row in enumerate(rows):
        if run.stopping.count_epoch(row, len(run.samples)):
            best = i
    if best is not None:
        epochs.load(best)
        run.stopping.keep_weights(run.net)
        epochs.load(len(rows) - 1)
