"""One table: every way to compute an epoch is equal to autograd, or says why it is not taken."""

import gc
import weakref
from dataclasses import dataclass, fields

import numpy as np
import pytest
from sklearn.datasets import make_classification

from sknn import DeepMLPClassifier
from sknn._jit import HAS_NUMBA
from sknn._specs import TrainConfig
from sknn.engine._runners import KNOWN_OPTIONS, RUNNERS, AutogradRunner
from sknn.engine.compiled._runner import CompiledRunner
from sknn.engine.optimizers._schedules import SCHEDULES
from tests.engine.backprop.test_options import (
    LOSS_PARAMS,
    PENALTIES,
    STEPS,
    assert_same_weights,
    run,
)
from tests.engine.configs import DEFAULTS, make_config

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class AnyWork(CompiledRunner):
    """Takes fits of few steps, too."""

    min_steps = 0


FASTER = {
    kind.name: AnyWork if kind is CompiledRunner else kind
    for kind in RUNNERS
    if kind is not AutogradRunner
}
#: what is trained -> changes of the settings, loss, and options of the plan
OPTIONS = {
    **{
        f"{loss} {params or ''}".strip(): ({}, loss, {"params": params})
        for loss, params in LOSS_PARAMS
    },
    **{
        f"{name} penalty{', weighted' * weighted}": (changes, "log_loss", {"weighted": weighted})
        for name, changes in PENALTIES.items()
        for weighted in (False, True)
    },
    **{
        f"{step}, {schedule}": ({**changes, "learning_rate": schedule}, "log_loss", {})
        for step, changes in STEPS.items()
        for schedule in ("constant", "one_cycle")
    },
    **{
        f"{solver}, {schedule}": ({"solver": solver, "learning_rate": schedule}, "log_loss", {})
        for solver in ("sgd", "adam")
        for schedule in SCHEDULES
    },
    "warm-up": ({"warmup_epochs": 1.5}, "log_loss", {}),
    "sparse samples": ({}, "log_loss", {"is_sparse": True}),
}


#: ways on a CPU -> losses and solvers that have no steps written out
ON_CPU = {"compiled": {"muon", "ordered_bins"}, "handwritten": {"muon"}}


def list_cases():
    """Yield each way with each option; of ways that need other machines, all but one are `full`."""
    for name in FASTER:
        for place, option in enumerate(OPTIONS):
            is_full = place > 0 and name not in ON_CPU
            yield pytest.param(name, option, marks=[pytest.mark.full] * is_full)


@pytest.mark.parametrize(("name", "option"), list(list_cases()))
def test_a_faster_way_is_equal_to_autograd_or_says_why_it_is_not_taken(name, option):
    changes, loss, options = OPTIONS[option]
    config = make_config(**changes)
    fast = run(config, loss, [FASTER[name], AutogradRunner], **options)
    if name in ON_CPU and (HAS_NUMBA or name != "compiled"):
        is_left_out = bool(ON_CPU[name] & {loss, changes.get("solver")})
        assert (fast.runner == "autograd") == is_left_out, fast.runner_reasons
    if fast.runner == "autograd":
        assert fast.runner_reasons[name]
        return
    slow = run(config, loss, [AutogradRunner], **options)
    assert (fast.runner, slow.runner) == (name, "autograd")
    np.testing.assert_allclose(fast.progress.loss_curve, slow.progress.loss_curve, rtol=1e-9)
    assert_same_weights(fast, slow, 1e-9)


@dataclass(frozen=True)
class LaterConfig(TrainConfig):
    """Settings with one more parameter, which comes to the package later."""

    gradient_noise: float = 0.0


def test_a_parameter_that_fast_ways_do_not_know_is_left_to_autograd():
    as_by_default = run(LaterConfig(**DEFAULTS))
    assert as_by_default.runner != "autograd"
    changed = run(LaterConfig(**DEFAULTS, gradient_noise=0.1))
    assert changed.runner == "autograd"
    assert "gradient_noise=0.1 is left to autograd" in changed.runner_reasons.values()


def test_the_known_options_are_those_of_the_settings():
    assert {item.name for item in fields(TrainConfig)} >= KNOWN_OPTIONS


@pytest.mark.parametrize(
    "options",
    [{}, {"early_stopping": True, "dropout": 0.2}, {"solver": "lbfgs"}, {"verbose": 1}],
    ids=str,
)
def test_a_fitted_network_is_freed_without_the_garbage_collector(options):
    X, y = make_classification(60, random_state=0)
    gc.collect()
    gc.disable()
    try:
        model = DeepMLPClassifier(max_iter=3, random_state=0, **options).fit(X, y)
        model.predict(X)
        net = weakref.ref(model.net_)
        assert net() is model.net_
        del model
        assert net() is None
    finally:
        gc.enable()
