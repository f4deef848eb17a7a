"""What verbose shows."""

import io
import re

import pytest

from sknn import DeepMLPClassifier
from sknn._specs import Progress
from sknn.engine.callbacks._progress import MAX_LINES, Bar, Lines, choose_display

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_silent_by_default(solver, capsys):
    DeepMLPClassifier(solver=solver, max_iter=3).fit(X, Y)
    assert capsys.readouterr() == ("", "")


def lines_of(capsys, **kwargs):
    model = DeepMLPClassifier(random_state=0, tol=0.0, n_iter_no_change=1e9, **kwargs)
    model = model.set_params(n_iter_no_change=10**6).fit(X, Y)
    return model, [line for line in capsys.readouterr().out.splitlines() if "loss =" in line]


def test_one_writes_few_lines_into_a_file_first_and_last_among_them(capsys):
    model, lines = lines_of(capsys, verbose=1, max_iter=330)
    assert len(lines) <= MAX_LINES + 2
    assert lines[0] == f"Iteration 1, loss = {model.loss_curve_[0]:.8f}"
    assert lines[-1] == f"Iteration 330, loss = {model.loss_curve_[-1]:.8f}"


def test_two_writes_a_line_for_each_epoch(capsys):
    model, lines = lines_of(capsys, verbose=2, max_iter=30)
    assert lines == [f"Iteration {i}, loss = {v:.8f}" for i, v in enumerate(model.loss_curve_, 1)]


def test_validation_score_is_printed(capsys):
    model = DeepMLPClassifier(max_iter=2, verbose=2).fit(X, Y, X_val=X, y_val=Y)
    printed = re.findall(r"Validation score: (.*)", capsys.readouterr().out)
    assert printed == [f"{score:f}" for score in model.validation_scores_]


def test_last_epoch_is_printed_once_when_training_is_stopped(capsys):
    stop = [lambda row: row["loss"] < 10]
    DeepMLPClassifier(max_iter=100, verbose=1, callbacks=stop).fit(X, Y)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_terminal_gets_one_bar_with_epoch_loss_and_score():
    rich = pytest.importorskip("rich.console")
    out = io.StringIO()
    console = rich.Console(file=out, force_terminal=True, width=100)
    progress = Progress()
    bar = Bar(3, progress, console)
    model = DeepMLPClassifier(max_iter=3, random_state=0, callbacks=[Follower(bar, progress)])
    model.fit(X, Y, X_val=X, y_val=Y)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "epoch 3/3" in text
    assert f"loss {model.loss_:.4g}" in text
    assert f"validation score {model.validation_scores_[-1]:.4g}" in text


def Follower(bar, progress):  # noqa: N802 - reads as a class
    """Let a bar follow a fit from outside: its own progress counts the epochs."""
    from skorch.callbacks import Callback

    class Following(Callback):
        def on_train_begin(self, net, **kwargs):
            bar.on_train_begin(net)

        def on_epoch_end(self, net, **kwargs):
            bar.on_epoch_end(net)
            progress.n_epochs += 1

        def on_train_end(self, net, **kwargs):
            bar.on_train_end(net)

    return Following


def test_choice_of_display(monkeypatch):
    rich = pytest.importorskip("rich.console")
    assert choose_display(0, 10, Progress()) is None
    assert isinstance(
        choose_display(1, 10, Progress()), Lines
    )  # the output of tests is no terminal
    monkeypatch.setattr(rich.Console, "is_terminal", True)
    assert isinstance(choose_display(True, 10, Progress()), Bar)
    assert isinstance(choose_display(2, 10, Progress()), Lines)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert isinstance(choose_display(1, 10, Progress()), Lines)
