"""Code that first fits would compile, made ahead of them."""

import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from sknn._jit import OBSTACLE
from sknn.deep.mlp._classifier import DeepMLPClassifier
from sknn.deep.parts._preparation import FitData
from sknn.deep.sequence._classifier import SequenceCNNClassifier
from sknn.deep.tabular._classifier import TabularMLPClassifier
from sknn.deep.tasks._classifier import DeepClassifier
from sknn.engine import train
from sknn.engine._runners import AutogradRunner, EpochRunner, MembersRunner
from sknn.engine.compiled._runner import CompiledRunner


class _AnySteps(CompiledRunner):
    """Takes fits of few steps, too."""

    min_steps = min_warm_steps = 0


class _AnyMembers(MembersRunner):
    """Takes fits of little work, too."""

    min_flops = min_warm_flops = 0.0


_WAYS: Sequence[type[EpochRunner]] = (_AnySteps, _AnyMembers, AutogradRunner)


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
        "ensembles for tables": (TabularMLPClassifier(), X),
        "sequences": (SequenceCNNClassifier(), letters),
    }
    for name, (network, samples) in kinds.items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an epoch is not enough to learn anything
            network.set_params(max_iter=1, random_state=0)
            plan = network._prepare(FitData(samples, y))
            network._finish(plan, train(plan, _WAYS))
            network.predict(samples)
        write(f"{name}: {time.perf_counter() - start:.1f} s")
