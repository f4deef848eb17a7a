"""
Moving from MLPClassifier to DeepMLPClassifier
==============================================

This example does a usual task twice: it scales the columns, searches for a good architecture and
learning rate by cross-validation, refits the best candidate, and scores it on held-out samples. It
does so once with scikit-learn's ``MLPClassifier`` and once with ``DeepMLPClassifier``, on real
data. The code differs only in the name of the class.

The table shows

- that the same ``random_state`` gives the same network in float64, so that no result changes;
- how much time float32 saves in both libraries, and whether it costs accuracy;
- how long each takes to search, to fit and to predict on a CPU. The networks are small, and no GPU
  is used, so that the comparison is fair.

It needs the extra ``plot`` and takes a minute or two on two cores. The times are those of compiled
steps only with the extra ``fast`` and after ``python -m sknn compile``. Nothing is downloaded:
Fashion-MNIST takes part if its files are on this machine, see `sknn.datasets.load_fashion_mnist`.
Run it as ``python compare_with_mlpclassifier.py``; ``--help`` lists the options.
"""

# %%
import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from joblib import cpu_count, parallel_config
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sknn import DeepMLPClassifier
from sknn.datasets import load_fashion_mnist

GRID = {
    "mlp__hidden_layer_sizes": [(50,), (100, 50)],
    "mlp__learning_rate_init": [0.001, 0.01],
}
MODELS = {"MLPClassifier": MLPClassifier, "DeepMLPClassifier": DeepMLPClassifier}
Announce = Callable[[str], None]


# %%
# The data
# --------
# Two data sets come with scikit-learn. Of Fashion-MNIST the first 10,000 training images are used,
# with all 10,000 test images.
@dataclass(frozen=True)
class Problem:
    """A data set, split into two parts, and for how many epochs to train on it."""

    name: str
    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray
    max_iter: int

    def read_as(self, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Return training and test samples in a precision; both libraries compute in that."""
        return self.X_train.astype(dtype), self.X_test.astype(dtype)


def load_problems(quick: bool) -> list[Problem]:
    """Return the data sets, from few samples to many."""
    problems = []
    for name, load, max_iter in (
        ("breast cancer", load_breast_cancer, 60),
        ("digits", load_digits, 30),
    ):
        X, y = load(return_X_y=True)
        split = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
        problems.append(Problem(name, *split, max_iter=10 if quick else max_iter))
    if not quick:
        problems += load_fashion_problem()
    return problems


def load_fashion_problem() -> list[Problem]:
    """Return Fashion-MNIST in a list, or an empty list if it is not on this machine."""
    load = partial(load_fashion_mnist, return_X_y=True, download_if_missing=False)
    try:
        X_train, y_train = load(subset="train")
        X_test, y_test = load(subset="test")
    except OSError as error:
        print(f"Without Fashion-MNIST: {error}")
        return []
    first = slice(10_000)
    return [
        Problem("Fashion-MNIST", X_train[first], X_test, y_train[first], y_test, max_iter=12),
    ]


# %%
# The models
# ----------
# The class is the only difference. ``device="cpu"`` is no default: a GPU would be used if there
# were one, and then the times would not compare the libraries.
def make_model(name: str, problem: Problem) -> Pipeline:
    """Return a scaler followed by a network with the same parameters for both classes."""
    mlp = MODELS[name](max_iter=problem.max_iter, random_state=0)
    if isinstance(mlp, DeepMLPClassifier):
        mlp.set_params(device="cpu")
    return Pipeline([("scale", StandardScaler()), ("mlp", mlp)])


def search(name: str, problem: Problem, cv: int, n_jobs: int) -> tuple[Pipeline, float]:
    """Return the best model, not yet fitted, and the seconds that it took to find it."""
    grid_search = GridSearchCV(make_model(name, problem), GRID, cv=cv, n_jobs=n_jobs, refit=False)
    X_train, _ = problem.read_as("float64")
    # Two processes with a thread each do more than one process with two threads, at this size.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        start = time.perf_counter()
        grid_search.fit(X_train, problem.y_train)
        seconds = time.perf_counter() - start
    return clone(grid_search.estimator).set_params(**grid_search.best_params_), seconds


# %%
# Fair times
# ----------
# What runs first meets another machine than what runs last: a cold cache, a processor that slows
# down as it warms up. So the candidates take turns, A B C D, A B C D, and the median counts.
@dataclass
class Result:
    """A row of the table to come."""

    problem: Problem
    name: str
    dtype: str
    model: Pipeline
    search_seconds: float | None = None
    fit_seconds: list[float] = field(default_factory=list)
    predict_seconds: list[float] = field(default_factory=list)
    accuracy: float = np.nan
    log_loss: float = np.nan
    proba: np.ndarray | None = None

    def run(self) -> None:
        """Fit, predict, and take both times; the result is the same every time."""
        X_train, X_test = self.problem.read_as(self.dtype)
        start = time.perf_counter()
        self.model.fit(X_train, self.problem.y_train)
        fitted = time.perf_counter()
        predicted = self.model.predict(X_test)
        self.predict_seconds.append(time.perf_counter() - fitted)
        self.fit_seconds.append(fitted - start)
        self.proba = self.model.predict_proba(X_test).astype(np.float64)
        self.accuracy = accuracy_score(self.problem.y_test, predicted)
        # Probabilities in float32 sum to 1 only up to rounding, of which log_loss would warn.
        self.proba /= self.proba.sum(axis=1, keepdims=True)
        self.log_loss = log_loss(self.problem.y_test, self.proba)


def compare_on(
    problem: Problem, *, cv: int, n_rounds: int, n_jobs: int, announce: Announce
) -> list[Result]:
    """Search with each model, then fit the best of each in float64 and in float32."""
    results = []
    for name in MODELS:
        announce(f"{problem.name}: search with {name}")
        model, seconds = search(name, problem, cv, n_jobs)
        results.append(Result(problem, name, "float64", model, seconds))
    # In float32 the parameters that won in float64 are fitted, without another search.
    results += [Result(problem, r.name, "float32", clone(r.model)) for r in results]
    for i in range(n_rounds):
        announce(f"{problem.name}: refit the best, round {i + 1} of {n_rounds}")
        for result in results:
            result.run()
    return results


def warm_up(n_jobs: int) -> None:
    """Let every process import the libraries before a clock runs."""
    X, y = load_digits(return_X_y=True)
    tiny = Problem("warm-up", X[:200], X[:200], y[:200], y[:200], max_iter=2)
    for name in MODELS:
        model, _ = search(name, tiny, 3, n_jobs)
        Result(tiny, name, "float32", model).run()


# %%
# Progress
# --------
@contextmanager
def progress(n_steps: int) -> Iterator[Announce]:
    """Yield a function that announces the next step: in a bar on a terminal, else in a line."""
    try:
        from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
    except ImportError:
        Progress = None
    if Progress is None or not sys.stdout.isatty():
        steps = iter(range(1, n_steps + 1))
        yield lambda text: print(f"[{next(steps)}/{n_steps}] {text}", flush=True)
        return
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("", total=n_steps)
        done = iter(range(n_steps))
        yield lambda text: bar.update(task, completed=next(done), description=text)


# %%
# The table
# ---------
COLUMNS = (
    ("data set", "<13"),
    ("model", "<17"),
    ("X", "<7"),
    ("best layers, rate", "<18"),
    ("accuracy", ">8"),
    ("log loss", ">8"),
    ("search s", ">8"),
    ("fit s", ">7"),
    ("predict s", ">9"),
)


def table_of(results: list[Result]) -> str:
    """Return the results as text, a row each."""
    lines = [[title for title, _ in COLUMNS]]
    for r in results:
        lines.append(
            [
                r.problem.name,
                r.name,
                r.dtype,
                best_params(r),
                f"{r.accuracy:.4f}",
                f"{r.log_loss:.4f}",
                "" if r.search_seconds is None else f"{r.search_seconds:.1f}",
                f"{np.median(r.fit_seconds):.3f}",
                f"{np.median(r.predict_seconds):.4f}",
            ]
        )
    lines.insert(1, ["-" * int(layout[1:]) for _, layout in COLUMNS])
    layouts = [layout for _, layout in COLUMNS]
    return "\n".join(
        "  ".join(format(cell, layout) for cell, layout in zip(line, layouts, strict=True)).rstrip()
        for line in lines
    )


def best_params(result: Result) -> str:
    """Return layers and learning rate of a result, as text."""
    mlp = result.model["mlp"]
    return f"{mlp.hidden_layer_sizes}, {mlp.learning_rate_init:g}"


def pairs_in_float64(results: list[Result]) -> list[tuple[Result, Result]]:
    """Return the results of both models, side by side, a pair for each data set."""
    halves = [[r for r in results if (r.name, r.dtype) == (name, "float64")] for name in MODELS]
    return list(zip(*halves, strict=True))


def agreement(results: list[Result]) -> str:
    """Return a sentence for each data set on how close the two models are."""
    lines = ["Largest difference of a test probability between the two models in float64:"]
    for theirs, ours in pairs_in_float64(results):
        difference = np.abs(theirs.proba - ours.proba).max()
        if difference < 1e-6:
            said = f"{difference:.0e}, the same network up to rounding"
        elif best_params(theirs) == best_params(ours):
            said = f"{difference:.0e}, the same start but other networks at the end"
        else:
            said = "the searches, a tie but for rounding, chose different parameters"
        lines.append(f"  {theirs.problem.name}: {said}")
    return "\n".join(lines)


# %%
# The picture
# -----------
# Where the networks are the same, so are their loss curves: the thin dashed line lies on the
# broad one. The two colours are told apart by colour-blind readers too.
STYLES = {
    "MLPClassifier": {"color": "#56B4E9", "linewidth": 6, "solid_capstyle": "round"},
    "DeepMLPClassifier": {"color": "#A33F00", "linewidth": 1.8, "linestyle": (0, (4, 2))},
}


def plot_loss_curves(results: list[Result], path: Path) -> None:
    """Write a picture with a panel for each data set."""
    plt.switch_backend("Agg")  # a file is written, no window opened
    pairs = pairs_in_float64(results)
    figure, axes = plt.subplots(
        1, len(pairs), figsize=(4 * len(pairs), 3.8), layout="constrained", squeeze=False
    )
    for axis, pair in zip(axes[0], pairs, strict=True):
        for result in pair:
            curve = result.model["mlp"].loss_curve_
            axis.plot(range(1, len(curve) + 1), curve, label=result.name, **STYLES[result.name])
        axis.set(
            title=f"{result.problem.name}\nlayers, rate: {best_params(result)}",
            xlabel="epoch",
            yscale="log",
        )
        axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.grid(alpha=0.3, linewidth=0.6)
    axes[0, 0].set_ylabel("training loss (nats)")
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


# %%
# All of it
# ---------
def main() -> None:
    """Run the job on every data set; print the table and draw the picture."""
    parser = argparse.ArgumentParser(description="Compare MLPClassifier and DeepMLPClassifier.")
    parser.add_argument("--output", type=Path, default=Path("loss_curves.png"), help="the picture")
    parser.add_argument("--quick", action="store_true", help="small and rough, in a few seconds")
    options = parser.parse_args()
    start = time.perf_counter()
    n_jobs, cv, n_rounds = (1, 2, 1) if options.quick else (min(4, cpu_count()), 3, 3)
    problems = load_problems(options.quick)
    results = []
    torch.set_num_threads(1)
    with (
        warnings.catch_warnings(),
        threadpool_limits(1),
        progress(1 + len(problems) * (len(MODELS) + n_rounds)) as announce,
    ):
        # The number of epochs is fixed so that both do the same work. Some hundred warnings that
        # the loss was still falling would say nothing new.
        warnings.simplefilter("ignore", ConvergenceWarning)
        announce("start the processes")
        warm_up(n_jobs)
        for problem in problems:
            results += compare_on(
                problem, cv=cv, n_rounds=n_rounds, n_jobs=n_jobs, announce=announce
            )
    plot_loss_curves(results, options.output)
    print(f"\n{table_of(results)}\n")
    print(
        f"Searches: {n_jobs} process(es) of 1 thread, timed once, so roughly.\n"
        "Fits, and predictions of all test samples: 1 thread, on the CPU, median of "
        f"{n_rounds} interleaved round(s)."
    )
    print(agreement(results))
    print(f"Loss curves: {options.output}. In all: {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
