"""How long a grid search takes: all networks together, and one by one.

``python -m benchmarks.search`` searches the same grid of learning rate, penalty and seed on
scikit-learn's digits, 5 folds, with several contenders in turn, and prints for each row of the
table the median wall time of a search (without refit), the processor time of all its processes
where the system tells (Linux), and how many times more the others take of both than
`BatchedGridSearchCV`. On a busy machine the latter says more. All but that one are a
`GridSearchCV`; all may use two jobs. The scores of ours and of scikit-learn's are printed beside,
so that fast and wrong does not go unseen. ``--quick`` only shows that everything works.
"""

import argparse
import json
import os
import sys
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier

from benchmarks import contenders
from benchmarks.report import load_average, machine
from sknn import DeepMLPClassifier
from sknn._compile_ahead import compile_ahead
from sknn.model_selection import BatchedGridSearchCV

BATCHED = "batched"
#: name -> heading
CONTENDERS = {
    BATCHED: "BatchedGridSearchCV",
    "one by one": "GridSearchCV(DeepMLPClassifier)",
    "sklearn": "GridSearchCV(MLPClassifier)",
    "skorch": "GridSearchCV(skorch net)",
}
RATES, PENALTIES, SEEDS = (3e-4, 1e-3, 3e-3, 1e-2), (1e-5, 1e-4, 1e-3, 1e-2), (0, 1, 2)


@dataclass(frozen=True)
class Search:
    """One row of the table.

    Attributes
    ----------
    title : str
    widths : tuple of int
        Units of the hidden layer; more than one are searched for too.
    early_stopping : bool
        With patience of five epochs out of 200 at most.
    epochs : int
        Of each network otherwise.
    contenders : tuple of str
        Keys of `CONTENDERS`.
    further : tuple of (str, object)
        Parameters that scikit-learn's networks do not have.
    """

    title: str
    widths: tuple[int, ...]
    early_stopping: bool = False
    epochs: int = 25
    contenders: tuple[str, ...] = tuple(CONTENDERS)
    further: tuple[tuple[str, object], ...] = ()


WITHOUT_SKORCH = (BATCHED, "one by one", "sklearn")
SEARCHES = {
    "a": Search("hidden 32", (32,)),
    "b": Search("hidden 100", (100,)),
    "c": Search("hidden 32, early stopping", (32,), True, contenders=WITHOUT_SKORCH),
    "d": Search("hidden 16 to 128", (16, 32, 64, 128), contenders=WITHOUT_SKORCH),
    "e": Search(
        "hidden 32, dropout and adamw (Adam alone for scikit-learn)",
        (32,),
        contenders=WITHOUT_SKORCH,
        further=(("dropout", 0.2), ("solver", "adamw")),
    ),
}


def grid_of(search: Search, share: float) -> dict:
    """Return the grid; `share` of its seeds and rates, at least one of each."""
    n_rates, n_seeds = (max(1, round(share**0.5 * len(x))) for x in (RATES, SEEDS))
    grid = {
        "learning_rate_init": RATES[-n_rates:],
        "alpha": PENALTIES,
        "random_state": SEEDS[:n_seeds],
    }
    if len(search.widths) > 1:  # as many candidates in all
        grid["random_state"] = SEEDS[:1]
        grid["hidden_layer_sizes"] = [(n,) for n in search.widths]
    return grid


def network(cls: type, search: Search):
    """Return the estimator of scikit-learn's parameters."""
    patience = {"early_stopping": True, "n_iter_no_change": 5, "max_iter": 200}
    fixed = {"n_iter_no_change": np.inf, "tol": 0.0, "max_iter": search.epochs}
    options = patience if search.early_stopping else fixed
    if cls is DeepMLPClassifier:
        options = {**options, **dict(search.further)}
    return cls(hidden_layer_sizes=search.widths[:1], batch_size=32, **options)


def searcher(name: str, search: Search, share: float, n_jobs: int):
    """Return an unfitted search of a contender."""
    grid, common = grid_of(search, share), {"cv": StratifiedKFold(5), "refit": False}
    if name == BATCHED:
        return BatchedGridSearchCV(
            network(DeepMLPClassifier, search), grid, n_jobs=n_jobs, **common
        )
    if name == "skorch":
        setting = contenders.Setting(hidden=search.widths[:1], batch_size=32, epochs=search.epochs)
        net = contenders.make("skorch", setting, n_inputs=64, n_outputs=10, device="cpu")
        grid = {
            "lr": grid["learning_rate_init"],
            "optimizer__weight_decay": grid["alpha"],
            "verbose": [0] * len(grid["random_state"]),  # it has no seed: as many runs
        }
        return GridSearchCV(net, grid, n_jobs=n_jobs, **common)
    cls = MLPClassifier if name == "sklearn" else DeepMLPClassifier
    return GridSearchCV(network(cls, search), grid, n_jobs=n_jobs, **common)


def processor_seconds() -> float:
    """Return what this process and those it started have used; NaN where the system is no Linux."""
    parents, seconds = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(folder.name)
        parents[number] = int(fields[1])
        seconds[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    own = {os.getpid()}
    while len(own) < len(own := own | {n for n, parent in parents.items() if parent in own}):
        pass
    return sum(seconds[number] for number in own) if own <= set(seconds) else float("nan")


def run(search: Search, share: float, n_rounds: int, n_jobs: int) -> dict[str, dict]:
    """Let the contenders search in turn; return times and the best score of each."""
    X, y = load_digits(return_X_y=True)
    X /= 16
    outcome: dict[str, dict] = {
        name: {"seconds": [], "processor": []} for name in search.contenders
    }
    for _ in range(n_rounds):
        for name in search.contenders:
            rows = X.astype("float32") if name == "skorch" else X
            searching = searcher(name, search, share, n_jobs)
            before, start = processor_seconds(), time.perf_counter()
            searching.fit(rows, y)
            outcome[name]["seconds"].append(time.perf_counter() - start)
            outcome[name]["processor"].append(processor_seconds() - before)
            outcome[name]["score"] = float(searching.cv_results_["mean_test_score"].max())
            outcome[name]["candidates"] = len(searching.cv_results_["params"])
    return outcome


def report(title: str, outcome: dict[str, dict]) -> list[str]:
    """Return the rows of the table."""
    kinds, ours = ("seconds", "processor"), outcome[BATCHED]
    lines = []
    for name, result in outcome.items():
        times = [median(result[kind]) for kind in kinds]
        shares = [t / median(ours[kind]) for t, kind in zip(times, kinds, strict=True)]
        lines.append(
            f"| {title} | {CONTENDERS[name]} | {result['candidates']} | {times[0]:.1f} s | "
            f"{shares[0]:.1f} | {times[1]:.1f} s | {shares[1]:.1f} | {result['score']:.4f} |"
        )
    return lines


def main() -> None:
    """Run the rows that are asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default=",".join(SEARCHES), help="of " + ",".join(SEARCHES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--share", type=float, default=1.0, help="of rates and seeds")
    parser.add_argument("--epochs", type=int, default=25, help="without early stopping")
    parser.add_argument("--skip", default="", help="contenders to leave out, as 'skorch'")
    parser.add_argument("--quick", action="store_true", help="2 epochs of a small grid")
    parser.add_argument("--out", type=Path, help="JSON with all times")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if not args.quick:
        compile_ahead(lambda line: None)
    results = {"machine": machine(), "load_before": load_average(), "rows": {}}
    write = sys.stdout.write
    write("| row | search | candidates | time | × ours | processor | × ours | best score |\n")
    write("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
    for key in args.rows.split(","):
        search = replace(SEARCHES[key], epochs=args.epochs)
        if args.quick:
            search = Search(search.title, search.widths[:1], epochs=2, contenders=search.contenders)
        kept = tuple(name for name in search.contenders if name not in args.skip.split(","))
        search = replace(search, contenders=kept)
        share, n_rounds = (0.01, 1) if args.quick else (args.share, args.rounds)
        outcome = run(search, share, n_rounds, args.jobs)
        results["rows"][key] = outcome
        write("\n".join([*report(search.title, outcome), ""]))
        sys.stdout.flush()
    results["load_after"] = load_average()
    if args.quick:
        write("A quick run: the figures mean nothing.\n")
    if args.out:
        args.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
