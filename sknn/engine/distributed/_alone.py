"""The interface between a run and the processes that compute it, and its form for one process."""

from typing import Protocol


class Fellows(Protocol):
    """The processes that compute a run.

    Attributes
    ----------
    leads : bool
        Whether this process scores epochs.
    """

    @property
    def leads(self) -> bool: ...

    def share_epoch(self) -> None:
        """Give all processes the weights after an epoch, and its entry of the history."""

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return the wish of the process that leads, and whether any process is out of time."""


class Alone:
    """The only process of a run."""

    leads = True

    def share_epoch(self) -> None:
        """Do nothing."""

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return both arguments."""
        return wish, is_late
