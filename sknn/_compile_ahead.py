"""Code that first fits would compile, made ahead of them."""

import time
import warnings
from collections.abc import Callable

import numpy as np

from sknn._jit import OBSTACLE
from sknn.deep import (
    DeepClassifier,
    DeepMLPClassifier,
    SequenceCNNClassifier,
    TabularMLPClassifier,
)
from sknn.engine import train_compiled


def compile_ahead(write: Callable[[str], object] = print, obstacle: str | None = OBSTACLE) -> None:
    """Compile what fits on the CPU compile otherwise, once on a machine; see ``python -m sknn``.

    Parameters
    ----------
    write : callable, default=print
        Gets a line for each kind of network.
    obstacle : str or None
        Why nothing can be compiled; None if it can be.
    """
    if obstacle is not None:
        write(f"Nothing is compiled: {obstacle}.")
        return
    random = np.random.RandomState(0)
    X, y = random.normal(size=(64, 4)), np.arange(64) % 2
    letters = np.eye(4, dtype=np.float32)[random.randint(4, size=(64, 30))]
    kinds: dict[str, tuple[DeepClassifier, np.ndarray]] = {
        "small networks, float32": (DeepMLPClassifier((4,)), X.astype(np.float32)),
        "small networks, float64": (DeepMLPClassifier((4,)), X),
        "ensembles for tables, float32": (TabularMLPClassifier(dtype="float32"), X),
        "ensembles for tables, float64": (TabularMLPClassifier(dtype="float64"), X),
        "sequences": (SequenceCNNClassifier(), letters),
    }
    for name, (network, samples) in kinds.items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an epoch is not enough to learn anything
            network.set_params(max_iter=1, random_state=0)
            plan = network._prepare(network._make_fit_data(samples, y))
            network._finish(plan, train_compiled(plan))
            network.predict(samples)
        write(f"{name}: {time.perf_counter() - start:.1f} s")
