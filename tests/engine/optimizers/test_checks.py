"""A solver that cannot be used is told before training."""

import pytest
import torch
from torch.optim import lr_scheduler

from sknn.engine.optimizers._optimizers import OPTIMIZERS, AdamW, Muon, get_net_arguments
from tests.engine.configs import make_config


class WithoutRate(torch.optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {})


class TakesAny(torch.optim.SGD):
    def __init__(self, params, **kwargs):
        super().__init__(params, **kwargs)


class NeedsClosure(torch.optim.SGD):
    def step(self, closure):
        return super().step(closure)


@pytest.mark.parametrize(
    ("solver", "params", "message"),
    [
        ("newton", {}, r"solver must be one of \['adam', 'adamw', 'lbfgs', .*got 'newton'"),
        (torch.nn.Linear, {}, r"or a subclass of torch\.optim\.Optimizer; got <class"),
        (torch.optim.Adam.step, {}, r"or a subclass of torch\.optim\.Optimizer"),
        ("adam", {"amsgrad": True}, r"solver__<name> is for a class.*'adam' takes its.*amsgrad"),
        ("lbfgs", {"history": 3}, r"solver__<name> is for a class.*'lbfgs' takes its"),
        (torch.optim.LBFGS, {}, r"solver=LBFGS calls the loss several times.*solver='lbfgs'"),
        (NeedsClosure, {}, r"solver=NeedsClosure calls the loss several times"),
        (torch.optim.SparseAdam, {}, r"solver=SparseAdam takes sparse gradients only.*'adam'"),
        (torch.optim.Adagrad, {"lr": 0.1}, r"cannot be given.*learning_rate_init"),
        (torch.optim.Adagrad, {"params": []}, r"cannot be given"),
        (WithoutRate, {}, r"WithoutRate takes no argument 'lr'"),
        (torch.optim.Adagrad, {"momentum": 1}, r"gives \['momentum'\], but Adagrad takes \['diff"),
        (torch.optim.Adagrad, {"lr_decay": -1.0}, r"Adagrad does not take.*Invalid lr_decay"),
        (TakesAny, {"momentun": 0.9}, r"TakesAny does not take.*momentun"),
    ],
)
def test_what_cannot_be_a_solver_is_an_error(solver, params, message):
    with pytest.raises(ValueError, match=message):
        get_net_arguments(make_config(solver=solver, solver_params=params))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("l1_ratio", 0.1, r"l1_ratio=0\.1 cannot be used with solver='lbfgs'.*no gradient at 0"),
        ("max_grad_norm", 1.0, r"max_grad_norm=1\.0 cannot be used.*line search"),
        ("warmup_epochs", 2, r"warmup_epochs=2 cannot be used.*no learning rate"),
        ("learning_rate", "cosine", r"learning_rate='cosine' cannot be used.*no learning rate"),
        ("learning_rate", lr_scheduler.StepLR, r"StepLR.*cannot be used.*no learning rate"),
    ],
)
def test_what_lbfgs_cannot_follow_is_an_error(name, value, message):
    with pytest.raises(ValueError, match=message):
        get_net_arguments(make_config(solver="lbfgs", **{name: value}))


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_lbfgs_ignores_scikit_learns_schedules_as_scikit_learn_does(schedule):
    assert get_net_arguments(make_config(solver="lbfgs", learning_rate=schedule))["lr"] == 0.01


def test_arguments_of_a_class_are_handed_on():
    config = make_config(solver=torch.optim.Adagrad, solver_params={"lr_decay": 0.1})
    expected = {"optimizer": torch.optim.Adagrad, "optimizer__lr_decay": 0.1, "lr": 0.01}
    assert get_net_arguments(config) == expected
    config = make_config(solver=TakesAny, solver_params={"momentum": 0.5})
    assert get_net_arguments(config)["optimizer__momentum"] == 0.5


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_every_name_has_a_class_of_its_own(solver):
    """So that going on with another solver is noticed."""
    kind = get_net_arguments(make_config(solver=solver))["optimizer"]
    others = {
        get_net_arguments(make_config(solver=s))["optimizer"] for s in OPTIMIZERS if s != solver
    }
    assert kind not in others


def test_only_adamw_and_muon_decay():
    for solver, kind in (("adamw", AdamW), ("muon", Muon)):
        arguments = get_net_arguments(make_config(solver=solver, weight_decay=0.3))
        assert arguments["optimizer"] is kind
        assert arguments["optimizer__decay"] == 0.3
    for solver in set(OPTIMIZERS) - {"adamw", "muon"}:
        arguments = get_net_arguments(make_config(solver=solver, weight_decay=0.3))
        assert not any("decay" in name for name in arguments)
