"""Checkpoints of networks that are trained together: all their states in one file."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sknn.engine.checkpoints._folder import CheckpointFile, CheckpointSpec
from sknn.engine.checkpoints._identity import Identity, hash_data
from sknn.engine.checkpoints._recorder import Pace, Recorded, Recorder, warn_of_full_disk


class StackRecorder:
    """Writes the states of runs of one stack, all after the same epoch.

    The last bits of a network depend on the other networks of its stack, because vector
    instructions compute numbers of several networks at once. So a stack is always resumed as a
    whole.

    Parameters
    ----------
    runs : sequence of Recorded
        All runs of the stack; either all of them have checkpoints, or none has.

    Attributes
    ----------
    contents : list of dict or None
        Content of each run when the file was written; None if the run had not begun.
    active : list of int
        Numbers of those that were in training, in the order in which they lay.
    """

    def __init__(self, runs: Sequence[Recorded]):
        self.runs = runs
        spec = join_specs([run.plan.checkpoint for run in runs])
        self.file = None if spec is None else CheckpointFile(spec)
        self.contents: list[dict[str, Any] | None] = [None] * len(runs)
        self.active: list[int] = []
        self.n_epochs = 0
        self.is_finished = self.has_warned = False
        self.pace = Pace(None if spec is None else spec.every)
        content = None if self.file is None else self.file.content
        if content is not None:
            self.contents, self.active = content["runs"], content["active"]
            self.is_finished = content["is_finished"]
        elif self.file is not None:
            self._write(self.file)

    def keep(self, number: int, recorder: Recorder) -> None:
        """Keep the last state of a run, before it returns to its best weights."""
        if self.file is not None:
            self.contents[number] = recorder.make_content()

    def end_epoch(self, active: dict[int, Recorder]) -> None:
        """Write the states, of those in training by their numbers, if it is time."""
        self.n_epochs += 1
        if self.file is not None and self.pace.is_due(self.n_epochs):
            self.active = list(active)
            for number, recorder in active.items():
                self.keep(number, recorder)
            self._write(self.file)

    def end(self) -> None:
        """Write the last states of all."""
        if self.file is not None and not self.is_finished:
            self.active, self.is_finished = [], True
            self._write(self.file)

    def _write(self, file: CheckpointFile) -> None:
        began = time.perf_counter()
        content = {"runs": self.contents, "active": self.active, "is_finished": self.is_finished}
        try:
            file.write(content, self.n_epochs, self.is_finished)
        except OSError as error:
            if not self.n_epochs:
                raise
            if not self.has_warned:
                warn_of_full_disk(error)
            self.has_warned = True
        self.pace.note(self.n_epochs, began)

    def close(self) -> None:
        """Release the file for other fits."""
        if self.file is not None:
            self.file.close(self.is_finished)


def join_specs(specs: Sequence[CheckpointSpec | None]) -> CheckpointSpec | None:
    """Return the common file of these fits; None if one of them has no file, or no seed."""
    seeded = [spec for spec in specs if spec is not None and spec.has_seed]
    if len(seeded) < len(specs):
        return None
    data = hash_data([spec.identity.digest for spec in seeded])
    return replace(seeded[0].quietly(), identity=Identity("Stack", {}, data))
