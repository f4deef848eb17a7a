"""One contender in a process of its own.

It reads a line, ``prepare ROW`` or ``work``, and answers with a line of JSON, until its input ends.
"""

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.contenders import Setting, make
from benchmarks.rows import ROWS, Row

N_WARM_UP = 2_000
#: edge and number of the matrix products that measure the arithmetic limit
MATMUL_EDGE, MATMULS = 2_048, 4
#: flops of a round of them
MATMUL_FLOPS = MATMULS * 2 * MATMUL_EDGE**3

Round = Callable[[], dict[str, Any]]


def _score(model: Any, X: Any, y: np.ndarray, setting: Setting) -> float:
    """Return the accuracy or R² on the first rows: fast and wrong shall not go unseen."""
    X, y = X[:N_WARM_UP], y[:N_WARM_UP]
    if setting.task == "classifier":
        return float(np.mean(model.predict(X) == y))
    return float(1 - np.mean((model.predict(X).ravel() - y.ravel()) ** 2) / np.var(y))


def _fit_round(new: Callable[[], Any], X: Any, y: np.ndarray, row: Row) -> Round:
    def work() -> dict[str, Any]:
        model = new()
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        epochs = int(getattr(model, "n_iter_", row.setting.epochs))
        return {
            "value": seconds,
            "steps": row.setting.steps(X.shape[0], epochs),
            "score": _score(model, X, y, row.setting),
        }

    return work


def _predict_round(new: Callable[[], Any], X: Any, y: np.ndarray, row: Row) -> Round:
    model = new().fit(X[:N_WARM_UP], y[:N_WARM_UP])
    X = X[: row.n_rows]

    def work() -> dict[str, Any]:
        start = time.perf_counter()
        for _ in range(row.calls):
            model.predict(X)
        return {"value": time.perf_counter() - start, "steps": row.calls}

    work()
    return work


def _memory_round(new: Callable[[], Any], X: Any, y: np.ndarray, row: Row) -> Round:
    def work() -> dict[str, Any]:
        model = new()
        before = _resident("VmRSS")
        model.fit(X, y)
        return {"value": (_resident("VmHWM") - before + X.nbytes) / X.nbytes, "steps": 1}

    return work


def _resident(entry: str) -> int:
    """Return the resident memory in bytes, now ('VmRSS') or at its peak ('VmHWM').

    Linux counts in ``ru_maxrss`` what the parent had when it started this process; other systems
    have nothing better, and there the peak so far stands for the memory now.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith(entry))
        return int(line.split()[1]) * 1024
    import resource  # Windows has none

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _matmul_round() -> Round:
    import torch

    a, b = torch.rand(2, MATMUL_EDGE, MATMUL_EDGE)
    out = a @ b

    def work() -> dict[str, Any]:
        start = time.perf_counter()
        for _ in range(MATMULS):
            torch.mm(a, b, out=out)
        return {"value": time.perf_counter() - start, "steps": MATMULS}

    return work


ROUNDS = {"fit": _fit_round, "predict": _predict_round, "memory": _memory_round}


def prepare(row: Row, contender: str, folder: Path, device: str) -> Round:
    """Load the data, warm up, and return a function that works one round."""
    if contender == "matmul":
        return _matmul_round()
    X, y = data.load(row.data, row.dtype, folder)
    n_outputs = 1
    if row.setting.task == "classifier":
        n_outputs = int(y.max()) + 1
    elif contender in ("torch", "skorch"):
        y = y[:, None]

    def new() -> Any:
        return make(contender, row.setting, n_inputs=X.shape[1], n_outputs=n_outputs, device=device)

    new().fit(X[:N_WARM_UP], y[:N_WARM_UP])
    return ROUNDS[row.measure](new, X, y, row)


def main() -> None:
    """Serve the parent until it closes the pipe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    # What a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    if args.contender != "sklearn":
        import torch

        torch.set_num_threads(args.threads)
    work = None
    for line in sys.stdin:
        order, *names = line.split()
        if order == "prepare":
            work = None  # frees the data of the row before
            row = ROWS[names[0]].quick() if args.quick else ROWS[names[0]]
            work = prepare(row, args.contender, args.folder, args.device)
        answers.write(json.dumps(work() if order == "work" else {"ready": True}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
