"""A bar over the epochs of many networks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def epoch_bar(n_epochs: int, show: bool | int) -> Iterator[Callable[[int], None]]:
    """Show how many epochs are done and how long the rest will take.

    Parameters
    ----------
    n_epochs : int
        The most that there can be.
    show : bool or int
        Whether to show the bar; it needs the package rich, and is left out where that is not
        installed.

    Yields
    ------
    callable
        ``advance(n)`` counts `n` epochs more.
    """
    progress = _progress() if show else None
    if progress is None:
        yield lambda n: None
        return
    with progress:
        task = progress.add_task("epochs", total=n_epochs)
        yield lambda n: progress.advance(task, n)


def _progress():
    try:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        return None
    return Progress("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
