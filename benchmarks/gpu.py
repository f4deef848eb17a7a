"""``python -m benchmarks.gpu``: what a CUDA device makes of it; all rows by one command.

lecture
    The lecture's 30 epochs of Fashion-MNIST, 784-300-100-10, SGD 0.01, batch 32, 55,000 training
    images, 51,570 steps, and the accuracy on the last 5,000 training images: ours with its steps
    captured and replayed as CUDA graphs, ours step by step, plain PyTorch and plain skorch.
precision
    Ours again with TF32 and with bfloat16, and through autograd (the same network with its
    activations as ``torch.nn.ReLU``).
kernels
    How many kernels a step of the lecture's is, how long they take, and the longest of them.
search
    A grid of 240 networks, hidden 100, trained together, against one of them alone.

``--quick --device cpu`` shows in a minute that the script works. Before it, on a new machine, run
the tests that need a GPU: ``python -m pytest -q -m gpu tests``.
"""

import argparse
import json
import sys
import time
import warnings
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

from benchmarks.contenders import make
from benchmarks.data import N_FASHION_TRAIN
from benchmarks.rows import LECTURE, LECTURE_EPOCHS
from benchmarks.worker import N_WARM_UP
from sknn import DeepMLPClassifier
from sknn.datasets import load_fashion_mnist
from sknn.engine.graphs._runner import CudaGraphRunner
from sknn.model_selection import BatchedGridSearchCV

#: name -> heading, contender, parameters that differ, whether steps are replayed
LECTURES: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "replayed": ("sknn, replayed", "ours", {}, True),
    "eager": ("sknn, step by step", "ours", {}, False),
    "torch": ("PyTorch", "torch", {}, True),
    "skorch": ("skorch", "skorch", {}, True),
}
PRECISIONS: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "tf32": ("sknn, TF32", "ours", {"dtype": "tf32"}, True),
    "bfloat16": ("sknn, bfloat16", "ours", {"dtype": "bfloat16"}, True),
    "autograd": ("sknn, by autograd", "ours", {"activation": torch.nn.ReLU}, True),
}
ROWS = ("lecture", "precision", "kernels", "search")
#: of issue 3, on an H200, and of issue 7
WANTED_SECONDS, WANTED_ACCURACY, WANTED_SEARCH = 3.0, 0.875, 3.0
SEARCH_RATES, SEARCH_PENALTIES = np.geomspace(3e-4, 1e-2, 8), np.geomspace(1e-5, 1e-2, 6)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="cuda", help="'cpu' shows that the script works")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--contenders", default=",".join(LECTURES), help="of the lecture")
    parser.add_argument("--epochs", type=int, default=LECTURE_EPOCHS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one epoch on few rows")
    parser.add_argument("--out", type=Path, help="file for the raw figures, JSON")
    args = parser.parse_args()
    if args.quick:
        args.epochs, args.rounds = 1, 1
    return args


def _graphs(replays: bool) -> AbstractContextManager:
    return (
        nullcontext()
        if replays
        else patch.object(CudaGraphRunner, "choose_graph_maker", lambda device: None)
    )


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _seconds(fit: Any, device: str) -> float:
    _wait(device)
    start = time.perf_counter()
    fit()
    _wait(device)
    return time.perf_counter() - start


def _images(quick: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Return images, classes, and how many of them are to train on."""
    X, y = load_fashion_mnist(subset="train", return_X_y=True)
    return (X[:4000], y[:4000], 3200) if quick else (X, y, N_FASHION_TRAIN)


def _lecture(entry: tuple, args: argparse.Namespace, images: tuple) -> dict[str, Any]:
    """Return seconds and accuracy of one fit, after a short one that starts the device."""
    _, name, params, replays = entry
    X, y, n_train = images

    def new(epochs: int) -> Any:
        setting = replace(LECTURE, epochs=epochs)
        model = make(name, setting, n_inputs=784, n_outputs=10, device=args.device)
        return model.set_params(**params) if params else model

    with _graphs(replays):
        new(2).fit(X[:N_WARM_UP], y[:N_WARM_UP])
        model = new(args.epochs)
        seconds = _seconds(lambda: model.fit(X[:n_train], y[:n_train]), args.device)
    right = model.predict(X[n_train:]) == y[n_train:]
    return {"seconds": seconds, "accuracy": float(np.mean(right))}


def _lecture_rows(
    entries: dict[str, tuple], args: argparse.Namespace
) -> tuple[list[str], dict[str, list]]:
    images = _images(args.quick)
    results: dict[str, list] = {name: [] for name in entries}
    for _ in range(args.rounds):
        for name, runs in results.items():
            runs.append(_lecture(entries[name], args, images))
    steps = LECTURE.steps(images[2], args.epochs)
    lines = ["| | seconds | µs a step | validation accuracy |", "| --- | --- | --- | --- |"]
    for name, runs in results.items():
        seconds = np.array([run["seconds"] for run in runs])
        accuracy = np.median([run["accuracy"] for run in runs])
        lines.append(
            f"| {entries[name][0]} | {np.median(seconds):.2f} [{seconds.min():.2f}–"
            f"{seconds.max():.2f}] | {np.median(seconds) / steps * 1e6:.1f} | {accuracy:.4f} |"
        )
    return [*lines, "", f"{steps:,} steps."], results


def _verdict(runs: list[dict[str, Any]]) -> str:
    seconds = float(np.median([run["seconds"] for run in runs]))
    accuracy = float(np.median([run["accuracy"] for run in runs]))
    met = seconds <= WANTED_SECONDS and accuracy >= WANTED_ACCURACY
    return (
        f"Target (H200): {WANTED_SECONDS:g} s or less and accuracy {WANTED_ACCURACY} or more: "
        f"{'met' if met else 'missed'} ({seconds:.2f} s, {accuracy:.4f})."
    )


def _kernels(args: argparse.Namespace) -> tuple[list[str], list[dict[str, Any]]]:
    """Profile three epochs of 64 batches, which begin with warming up and capturing."""
    X, y, _ = _images(quick=True)
    kind = torch.profiler.ProfilerActivity
    model = make("ours", replace(LECTURE, epochs=3), n_inputs=784, n_outputs=10, device=args.device)
    with torch.profiler.profile(activities=[kind.CPU, kind.CUDA]) as profile:
        model.fit(X[:2048], y[:2048])
        _wait(args.device)
    total: dict[str, list[float]] = defaultdict(list)
    for event in profile.events():
        if event.device_type.name == ("CUDA" if args.device == "cuda" else "CPU"):
            total[event.name].append(event.time_range.elapsed_us())
    steps = LECTURE.steps(2048, 3)
    rows = [
        {"name": name, "a_step": len(times) / steps, "us": float(np.median(times))}
        for name, times in sorted(total.items(), key=lambda pair: -sum(pair[1]))
    ]
    busy = sum(map(sum, total.values())) / steps
    count = sum(row["a_step"] for row in rows)
    lines = ["| kernel | a step | µs |", "| --- | --- | --- |"]
    lines += [
        f"| {row['name'][:90]} | {row['a_step']:.2f} | {row['us']:.2f} |" for row in rows[:20]
    ]
    return [*lines, "", f"{count:.1f} kernels a step, {busy:.1f} µs together."], rows


def _search(args: argparse.Namespace) -> tuple[list[str], dict[str, list[float]]]:
    """Time a search over 48 candidates in 5 folds, and the fit of one candidate on one fold."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    rates, penalties = (a[:2] if args.quick else a for a in (SEARCH_RATES, SEARCH_PENALTIES))
    model = DeepMLPClassifier(
        batch_size=32, max_iter=2 if args.quick else 25, tol=0.0, n_iter_no_change=np.inf,
        random_state=0, device=args.device,
    )  # fmt: skip
    cv = StratifiedKFold(5)
    grid = {"learning_rate_init": rates.tolist(), "alpha": penalties.tolist()}
    searching = BatchedGridSearchCV(model, grid, cv=cv, refit=False)
    train, _ = next(cv.split(X, y))
    times: dict[str, list[float]] = {"all": [], "one": []}
    model.fit(X[:200], y[:200])  # starts the device
    for _ in range(args.rounds):
        times["one"].append(_seconds(lambda: model.fit(X[train], y[train]), args.device))
        times["all"].append(_seconds(lambda: searching.fit(X, y), args.device))
    one, together = np.median(times["one"]), np.median(times["all"])
    n_networks = len(rates) * len(penalties) * 5
    line = (
        f"{n_networks} networks {together:.2f} s, one {one:.2f} s: {together / one:.1f} times as "
        f"long. Target: {WANTED_SEARCH:g} times for 240 or less."
    )
    return [line], times


def main() -> None:
    """Run where there is a CUDA device, and say so where there is none."""
    args = _arguments()
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.stdout.write("There is no CUDA device that torch can use here; nothing was run.\n")
        return
    warnings.simplefilter("ignore")  # of epochs that end before convergence, as they should
    device = torch.cuda.get_device_name() if args.device == "cuda" else args.device
    machine = {"device": device, "torch": torch.__version__, "epochs": args.epochs}
    sys.stdout.write(f"{device}, torch {torch.__version__}\n")
    results: dict[str, Any] = {"machine": machine, "results": {}}
    for row in args.rows.split(","):
        if row == "lecture":
            chosen = {name: LECTURES[name] for name in args.contenders.split(",")}
            lines, raw = _lecture_rows(chosen, args)
            if "replayed" in raw and not args.quick:
                lines += ["", _verdict(raw["replayed"])]
        elif row == "precision":
            lines, raw = _lecture_rows(PRECISIONS, args)
        else:
            lines, raw = {"kernels": _kernels, "search": _search}[row](args)
        results["results"][row] = raw
        sys.stdout.write("\n".join([f"\n{row}\n", *lines, ""]))
        sys.stdout.flush()
        if args.out:  # row by row: the device may be taken back
            args.out.write_text(json.dumps(results, indent=1) + "\n")
    if args.quick:
        sys.stdout.write("\nA quick run: the figures mean nothing.\n")


if __name__ == "__main__":
    main()
