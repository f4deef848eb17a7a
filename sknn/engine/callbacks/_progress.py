"""Output of `verbose`: one bar in a terminal or notebook, a few lines anywhere else."""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from skorch.callbacks import Callback

from sknn._specs import Progress

if TYPE_CHECKING:
    from rich.console import Console

#: lines that a whole fit may write into a file when `verbose` is 1
MAX_LINES = 20


def choose_display(
    verbose: bool | int, max_iter: int, progress: Progress, score_name: str = "score"
) -> Callback | None:
    """Return the callback that shows the progress of training, or None.

    If `verbose` is 1 that is a bar where the output is a terminal or a notebook and rich is
    installed, else at most `MAX_LINES` lines; if it is more, a line for each epoch.
    """
    if not verbose:
        return None
    if int(verbose) == 1:
        if importlib.util.find_spec("rich"):
            from rich.console import Console

            console = Console()
            if console.is_terminal or console.is_jupyter:
                return Bar(max_iter, progress, console, score_name)
        return Lines(progress, -(-max_iter // MAX_LINES), score_name)
    return Lines(progress, 1, score_name)


class Lines(Callback):
    """Print a line an epoch, or for some epochs, in scikit-learn's words.

    Parameters
    ----------
    progress : Progress
        Progress whose epochs of the present call are counted.
    every : int
        The first and last epoch and every so many are printed.
    score_name : str, default='score'
        Name of the validation score.
    """

    def __init__(self, progress: Progress, every: int, score_name: str = "score"):
        self.progress, self.every, self.score_name = progress, every, score_name
        self.last_printed = 0

    def on_epoch_end(self, net, **kwargs):
        """Print the loss, and the validation score if there is one."""
        epoch = self.progress.n_epochs + 1  # counted after this
        if epoch == 1 or epoch % self.every == 0:
            self._print(epoch, net.history[-1])

    def on_train_end(self, net, **kwargs):
        """Print the last epoch."""
        epoch = self.progress.n_epochs
        if epoch > self.last_printed and len(net.history):
            self._print(epoch, net.history[-1])

    def _print(self, epoch: int, row: Mapping[str, float]) -> None:
        self.last_printed = epoch
        print(f"Iteration {epoch}, loss = {row['train_loss']:.8f}")  # noqa: T201
        if "valid_score" in row:
            print(f"Validation {self.score_name}: {row['valid_score']:f}")  # noqa: T201


class Bar(Callback):
    """One bar with epoch, loss, validation score and the time left.

    Parameters
    ----------
    max_iter : int
        Maximum number of epochs.
    progress : Progress
        Progress whose epochs of the present call are counted.
    console : rich.console.Console
        Console that the bar is drawn on.
    score_name : str, default='score'
        Name of the validation score.
    """

    def __init__(
        self, max_iter: int, progress: Progress, console: "Console", score_name: str = "score"
    ):
        self.max_iter, self.progress, self.console = max_iter, progress, console
        self.score_name = score_name

    def on_train_begin(self, net, **kwargs):
        """Start to draw."""
        from rich import progress

        columns = (
            progress.TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            progress.BarColumn(),
            progress.TextColumn("{task.description}"),
            progress.TimeRemainingColumn(),
        )
        self.bar = progress.Progress(*columns, console=self.console)
        self.task = self.bar.add_task("", total=self.max_iter)
        self.bar.start()

    def on_epoch_end(self, net, **kwargs):
        """Move on."""
        row = net.history[-1]
        text = f"loss {row['train_loss']:.4g}"
        if "valid_score" in row:
            text += f", validation {self.score_name} {row['valid_score']:.4g}"
        self.bar.update(self.task, completed=self.progress.n_epochs + 1, description=text)

    def on_train_end(self, net, **kwargs):
        """Leave the bar as it is."""
        self.bar.stop()


@contextmanager
def show_bar(unit: str, total: int, show: bool | int) -> Iterator[Callable[[int], None]]:
    """Show how many of a total are done, of epochs for instance, and how long the rest will take.

    Yields ``advance(n)``, which counts n more. The bar needs the package rich.
    """
    progress = _make_progress() if show else None
    if progress is None:
        yield lambda n: None
        return
    with progress:
        task = progress.add_task(unit, total=total)
        yield lambda n: progress.advance(task, n)


def _make_progress():
    try:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        return None
    return Progress("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
