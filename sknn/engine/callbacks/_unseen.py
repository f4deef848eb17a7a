"""Epochs that nobody looks at: computed in one call, and noted together."""

from typing import cast

from sknn.engine._live_state import LiveState
from sknn.engine.optimizers._optimizers import get_learning_rate
from sknn.engine.optimizers._schedules import EpochSchedule

#: schedules by name whose rate changes only where training stalls
STEADY = ("constant", "adaptive")


def are_epochs_unseen(run: LiveState) -> bool:
    """Return whether nothing happens between the coming epochs but a look at the training loss."""
    # Callbacks, a display, held-out samples, an average of weights, restarts, a time limit, and a
    # learning rate that changes want to see each epoch; one that has begun is to end first.
    schedule = run.net.schedule
    return not (
        run.plan.incremental
        or run.plan.is_streamed
        or run.callbacks.of_user
        or run.display is not None
        or run.plan.watcher is not None
        or run.validation is not None
        or run.average is not None
        or run.dead_network is not None
        or run.deadline is not None
        or run.batches.is_open
        or not isinstance(schedule, EpochSchedule)
        or schedule.config.learning_rate not in STEADY
        or schedule.per_step
    )


def note_epochs(run: LiveState, losses: list[float], seconds: float) -> None:
    """Note epochs in the history and in the progress, as one by one.

    Parameters
    ----------
    run : TrainingRun
        With the best loss and the number of stalled epochs after the last of them.
    losses : list of float
        Mean loss of a sample in each epoch.
    seconds : float
        Time of all.
    """
    net, n = run.net, len(losses)
    each, n_before = seconds / n, len(net.history)
    net.history += [
        {
            "batches": [],
            "epoch": n_before + i,
            "train_loss": loss,
            "train_batch_count": run.n_batches,
            "dur": each,
        }
        for i, loss in enumerate(losses, start=1)
    ]
    rate = get_learning_rate(net.optimizer_)
    run.stopping.take_note_of_many(losses, each, rate, len(run.samples))
    cast("EpochSchedule", net.schedule).n_epochs += (
        n - 1
    )  # the last is counted with a look at the rule
