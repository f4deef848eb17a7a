"""What a run asks of those that compute it together, and the answers of one that is alone."""

from typing import Protocol


class Fellows(Protocol):
    """The processes that compute a run, as the run sees them.

    Attributes
    ----------
    leads : bool
        Whether this process scores epochs.
    """

    @property
    def leads(self) -> bool: ...

    def share_epoch(self) -> None:
        """Give all processes the weights after an epoch, and what was noted of it."""

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return whether the process that leads wishes something, and whether any is late."""


class Alone:
    """The only process of a run."""

    leads = True

    def share_epoch(self) -> None:
        """Do nothing."""

    def agree(self, wish: bool, *, is_late: bool) -> tuple[bool, bool]:
        """Return what was given."""
        return wish, is_late
