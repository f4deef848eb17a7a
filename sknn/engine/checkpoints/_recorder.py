"""Writes the checkpoints of a run, and lets it go on from the last one."""

import time
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sknn._specs import Progress, TrainPlan
from sknn.engine.callbacks._user import UserCallbacks
from sknn.engine.checkpoints._folder import CheckpointFile
from sknn.exceptions import warn_user

#: where the user does not say how often: seconds between two at least, and times as long as
#: writing takes, which so costs at most 2 % of the time
SECONDS, TIMES = 1.0, 50
#: bytes of gradients that are kept for L-BFGS to pass by its points again
EVALUATION_BYTES = 2**28


class Recorded(Protocol):
    """The part of a `sknn.engine._run.TrainingRun` that recording uses."""

    plan: TrainPlan
    progress: Progress
    callbacks: UserCallbacks
    runner_name: str
    by_epochs: bool
    deadline: float | None

    def get_state(self) -> dict[str, Any]:
        """Return the state of the run."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


class Pace:
    """When it is time for the next checkpoint.

    Parameters
    ----------
    every : int, float or None
        Time between checkpoints, see `CheckpointSpec`.

    Attributes
    ----------
    n_epochs : int
        Epochs up to the last one.
    """

    def __init__(self, every: int | float | None):
        self.every = every
        self.latest = time.perf_counter()
        self.seconds_to_write = 0.0
        self.n_epochs = 0

    def is_due(self, n_epochs: int) -> bool:
        """Return whether it is time after so many epochs."""
        if isinstance(self.every, int):
            return n_epochs - self.n_epochs >= self.every
        return time.perf_counter() - self.latest >= self.get_wait()

    def get_wait(self) -> float:
        """Return the seconds from one checkpoint to the next."""
        return max(SECONDS, TIMES * self.seconds_to_write) if self.every is None else self.every

    def note(self, n_epochs: int, began: float) -> None:
        """Take note of a checkpoint after so many epochs, whose writing began then."""
        self.n_epochs, self.latest = n_epochs, time.perf_counter()
        self.seconds_to_write = self.latest - began


class Recorder:
    """Writes the state of a run from time to time.

    Between epochs the state is all that is needed to go on. SciPy keeps that of L-BFGS to itself;
    there loss and gradient of each point are kept, so that the same points are passed by again
    without computing them.

    Parameters
    ----------
    run : Recorded
        Which.
    file : CheckpointFile or None, default=None
        Where; None writes nothing.
    content : dict or None, default=None
        Content that `make_content` returned, from which the run goes on.

    Attributes
    ----------
    is_finished : bool
        Whether training has come to its end.
    evaluations : list of tuple
        Key of a point, loss and gradient of L-BFGS, from the first on.
    """

    def __init__(
        self,
        run: Recorded,
        file: CheckpointFile | None = None,
        content: dict[str, Any] | None = None,
    ):
        self.run, self.file, self.content = run, file, content
        self.pace = Pace(None if file is None else file.spec.every)
        self.began = time.perf_counter()
        self.seconds_before = 0.0
        self.is_finished = self.has_warned = False
        self.evaluations: list[tuple[int, float, np.ndarray]] = []

    @classmethod
    def of(cls, run: Recorded) -> "Recorder":
        """Return that of a run, with a file if its plan wants one."""
        if run.plan.checkpoint is None:
            return cls(run)
        file = CheckpointFile(run.plan.checkpoint)
        return cls(run, file, file.content)

    def resume(self) -> None:
        """Let the run go on from what its file holds, or write the first state."""
        content, run = self.content, self.run
        if content is None:
            self.write()
            return
        self.seconds_before = content["seconds"]
        if run.deadline is not None:
            # A time limit is for all processes of a fit together.
            run.deadline -= self.seconds_before
        if run.by_epochs:
            run.set_state(content["state"])
            run.progress.stopped_because = content["stopped_because"]
            self.pace.n_epochs = run.progress.n_epochs
        else:
            self.evaluations = _split_evaluations(content["evaluations"])
        self.is_finished = content["is_finished"]

    def resume_callbacks(self) -> None:
        """Give callbacks the attributes that they had, once they know that training begins."""
        if self.content is not None and self.run.by_epochs:
            self.run.callbacks.set_state(self.content["callbacks"])

    def check_runner(self) -> None:
        """Warn if the epochs to come are computed in another way than those before."""
        if self.content is None or self.is_finished:
            return
        before, now = self.content["runner"], self._name_way()
        if before not in ("", now):
            warn_user(
                f"The epochs before the checkpoint were computed by {before!r}, those to come are "
                f"by {now!r}: the result is that of one fit up to rounding. "
                "runner_reasons_ says why. To get the same bits, install the packages that were "
                "installed before."
            )

    def _name_way(self) -> str:
        """Return the name of the runner, with what compiled code computes inside the network."""
        name, part = self.run.runner_name, getattr(self.run.plan.module, "compiled_part", "")
        return f"{name} with compiled {part}" if name and part else name

    def limit_epochs(self, n_epochs: int) -> int:
        """Return how many of the coming epochs may be computed in one call, at least 1."""
        if self.file is None or self.is_finished:
            return n_epochs
        pace, progress = self.pace, self.run.progress
        left: float
        if isinstance(pace.every, int):
            left = pace.every - (progress.n_epochs - pace.n_epochs)
        else:  # until it is known how long they take, one
            # As many epochs as fit before the next writing is due, by how long the last one took.
            left = pace.get_wait() / progress.history.get("time", [np.inf])[-1]
        return int(max(1, min(n_epochs, left)))

    def end_epoch(self) -> None:
        """Write the state if it is time, and at the end of training."""
        if self.is_finished:
            return
        progress = self.run.progress
        self.is_finished = bool(progress.stopped_because) or (
            self.run.by_epochs and progress.n_epochs >= self.run.plan.config.max_iter
        )
        if progress.stopped_because == "diverged":  # the next fit is to say so, too
            self.is_finished = False
        elif self.is_finished or self.pace.is_due(progress.n_epochs):
            self.write()

    def end_iterations(self) -> None:
        """Write all evaluations, as L-BFGS has come to its end."""
        if self.file is not None and not self.is_finished:
            self.is_finished = True
            self.write()

    def make_content(self) -> dict[str, Any]:
        """Return what a file is to hold of the run as it is now."""
        run = self.run
        content = {
            "seconds": self.seconds_before + time.perf_counter() - self.began,
            "stopped_because": run.progress.stopped_because if self.is_finished else "",
            "runner": self._name_way(),
            "is_finished": self.is_finished,
        }
        if run.by_epochs:
            return {**content, "state": run.get_state(), "callbacks": run.callbacks.get_state()}
        return {**content, "evaluations": _join_evaluations(self.evaluations)}

    def write(self) -> None:
        """Write the state as it is now; only the first time must that go well."""
        if self.file is None:
            return
        began, n_epochs = time.perf_counter(), self.run.progress.n_epochs
        try:
            self.file.write(self.make_content(), n_epochs, self.is_finished)
        except OSError as error:
            if self.content is None and not n_epochs:
                raise
            if not self.has_warned:
                warn_of_full_disk(error)
            self.has_warned = True
        self.pace.note(n_epochs, began)

    def evaluate(
        self,
        function: Callable[[np.ndarray], tuple[float, np.ndarray]],
        vector: np.ndarray,
        number: int,
    ) -> tuple[float, np.ndarray]:
        """Return loss and gradient of L-BFGS's point of this number, from the file if it can."""
        if self.file is None:
            return function(vector)
        # SciPy's L-BFGS keeps its curvature to itself. But it is deterministic: fed with the values
        # and gradients that it got before, it asks for the same points, and arrives where it was.
        key = _make_key(vector)
        if number < len(self.evaluations):
            known, loss, gradient = self.evaluations[number]
            if known == key:
                return loss, gradient.copy()
            del self.evaluations[number:]  # made with another SciPy: compute from here on
        loss, gradient = function(vector)
        if (number + 1) * gradient.nbytes <= EVALUATION_BYTES and number == len(self.evaluations):
            self.evaluations.append((key, loss, gradient.copy()))
        return loss, gradient

    def close(self) -> None:
        """Release the file for other fits."""
        if self.file is not None:
            self.file.close(self.is_finished)
            self.file = None


def warn_of_full_disk(error: OSError) -> None:
    """Warn that a checkpoint could not be written."""
    warn_user(f"{error}. Training goes on, and the checkpoint from before stays.")


def _make_key(vector: np.ndarray) -> int:
    """Return a number by which a point is known again."""
    return zlib.crc32(vector.tobytes())


def _join_evaluations(evaluations: list[tuple[int, float, np.ndarray]]) -> dict[str, Any]:
    keys, losses, gradients = zip(*evaluations, strict=True) if evaluations else ((), (), ())
    return {"keys": list(keys), "losses": list(losses), "gradients": list(gradients)}


def _split_evaluations(joined: dict[str, Any]) -> list[tuple[int, float, np.ndarray]]:
    return list(zip(joined["keys"], joined["losses"], joined["gradients"], strict=True))
