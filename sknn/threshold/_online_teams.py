"""Online epochs of several teams of units side by side, each in a thread of its own."""

from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed

from sknn.threshold._one_unit_per_class import Rows
from sknn.threshold._online_rows import Epochs
from sknn.threshold._rosenblatt import Course, LearningConfig


class Teams:
    """Units in teams, which go over the same rows in the same order.

    Units do not know of each other, so the teams change nothing but the time. It has the methods
    and the attribute of `Epochs` that `learn_online` needs.

    Parameters
    ----------
    kind : subclass of Epochs
        How a team goes over the rows.
    rows : Rows
    course : Course
        To go on from; it is left as it is.
    config : LearningConfig
        Its ``n_jobs`` says how many teams; fewer if there are fewer units.
    """

    def __init__(
        self, kind: type[Epochs], rows: Rows, course: Course, config: LearningConfig
    ) -> None:
        n_units = rows.signs.shape[1]
        self.members = np.array_split(np.arange(n_units), min(config.n_jobs, n_units))
        self.teams = [
            kind(replace(rows, signs=rows.signs[:, units]), course.part(units), config)
            for units in self.members
        ]

    @property
    def active(self) -> np.ndarray:
        """Units that still learn, of shape (n_units,)."""
        return np.concatenate([team.active for team in self.teams])

    @active.setter
    def active(self, active: np.ndarray) -> None:
        for team, units in zip(self.teams, self.members, strict=True):
            team.active = active[units]

    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all rows once; see `Epochs.run`."""
        if len(self.teams) == 1:
            return self.teams[0].run(order)
        losses = Parallel(n_jobs=len(self.teams), backend="threading")(
            delayed(team.run)(order) for team in self.teams
        )
        return np.concatenate(losses)

    def course(self) -> Course:
        """Return where learning stands."""
        return Course.joined([team.course() for team in self.teams])
