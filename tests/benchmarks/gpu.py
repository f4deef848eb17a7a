"""``python -m tests.benchmarks.gpu``: the lecture's 30 epochs of Fashion-MNIST on a CUDA device.

Ours, plain PyTorch and plain skorch, one after the other in this process: 784-300-100-10, SGD 0.01,
batch 32, 55,000 training images, 51,570 steps, and the accuracy on the last 5,000 training images.
"""

import argparse
import json
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sknn.datasets import load_fashion_mnist
from tests.benchmarks.contenders import CONTENDERS, make
from tests.benchmarks.data import N_FASHION_TRAIN
from tests.benchmarks.rows import LECTURE, LECTURE_EPOCHS
from tests.benchmarks.worker import N_WARM_UP

NAMES = ("ours", "torch", "skorch")
#: of issue 3, on an H200
WANTED_SECONDS, WANTED_ACCURACY = 3.0, 0.875


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="'cpu' shows that the script works")
    parser.add_argument("--epochs", type=int, default=LECTURE_EPOCHS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--contenders", default=",".join(NAMES))
    parser.add_argument("--out", type=Path, help="file for the raw figures, JSON")
    return parser.parse_args()


def _run(name: str, args: argparse.Namespace, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Return seconds and accuracy of one fit, after a short one that starts the device."""

    def new(epochs: int) -> Any:
        setting = replace(LECTURE, epochs=epochs)
        return make(name, setting, n_inputs=784, n_outputs=10, device=args.device)

    new(1).fit(X[:N_WARM_UP], y[:N_WARM_UP])
    model = new(args.epochs)
    start = time.perf_counter()
    model.fit(X[:N_FASHION_TRAIN], y[:N_FASHION_TRAIN])
    if args.device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    right = model.predict(X[N_FASHION_TRAIN:]) == y[N_FASHION_TRAIN:]
    return {"seconds": seconds, "accuracy": float(np.mean(right))}


def _table(results: dict[str, list[dict[str, Any]]], steps: int) -> str:
    lines = ["| | seconds | µs a step | validation accuracy |", "| --- | --- | --- | --- |"]
    for name, runs in results.items():
        seconds = np.array([run["seconds"] for run in runs])
        accuracy = np.median([run["accuracy"] for run in runs])
        lines.append(
            f"| {CONTENDERS[name]} | {np.median(seconds):.2f} [{seconds.min():.2f}–"
            f"{seconds.max():.2f}] | {np.median(seconds) / steps * 1e6:.1f} | {accuracy:.4f} |"
        )
    return "\n".join(lines)


def _verdict(runs: list[dict[str, Any]]) -> str:
    seconds = float(np.median([run["seconds"] for run in runs]))
    accuracy = float(np.median([run["accuracy"] for run in runs]))
    met = seconds <= WANTED_SECONDS and accuracy >= WANTED_ACCURACY
    return (
        f"Target (H200): {WANTED_SECONDS:g} s or less and accuracy {WANTED_ACCURACY} or more: "
        f"{'met' if met else 'missed'} ({seconds:.2f} s, {accuracy:.4f})."
    )


def main() -> None:
    """Run where there is a CUDA device, and say so where there is none."""
    args = _arguments()
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.stdout.write("There is no CUDA device that torch can use here; nothing was run.\n")
        return
    warnings.simplefilter("ignore")  # of epochs that end before convergence, as they should
    X, y = load_fashion_mnist(subset="train", return_X_y=True)
    results = {name: [] for name in args.contenders.split(",")}
    for _ in range(args.rounds):
        for name, runs in results.items():
            runs.append(_run(name, args, X, y))
    device = torch.cuda.get_device_name() if args.device == "cuda" else args.device
    steps = LECTURE.steps(N_FASHION_TRAIN, args.epochs)
    lines = [_table(results, steps), f"{device}, torch {torch.__version__}, {steps:,} steps"]
    if "ours" in results and args.epochs == LECTURE_EPOCHS:
        lines.append(_verdict(results["ours"]))
    sys.stdout.write("\n\n".join(lines) + "\n")
    if args.out:
        machine = {"device": device, "torch": torch.__version__, "epochs": args.epochs}
        args.out.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
