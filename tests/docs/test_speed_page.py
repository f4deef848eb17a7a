"""The page on speed says what handwritten backpropagation supports, and where its targets are."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.rows import TARGETS
from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.deep.mlp._network import CONSTRAINTS
from sknn.engine.backprop._mlp import IN_PLACE
from sknn.losses import CLASS_LOSSES, VALUE_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAGES = Path(__file__).parents[2] / "docs"
PAGE = (PAGES / "speed.md").read_text(encoding="utf-8")
SOLVERS = {"adam", "adamw", "sgd", "nadam", "rmsprop"}
SCHEDULES = {"constant", "invscaling", "adaptive", "cosine", "one_cycle", "plateau"}


def cell(row):
    return set(re.search(rf"^\| {row} \| (.*?) \|", PAGE, re.MULTILINE).group(1).split(", "))


def options(parameter):
    (words,) = (c for c in CONSTRAINTS[parameter] if hasattr(c, "options"))
    return words.options


def linear(n_inputs, n_outputs):
    return nn.Linear(n_inputs, n_outputs)


def fitted(**params):
    X = np.random.default_rng(0).normal(size=(30, 3)).round(1)
    X[:, 0] = np.arange(30) % 15 - 7
    cls = DeepMLPRegressor if params.get("loss") in VALUE_LOSSES else DeepMLPClassifier
    y = 1 + np.abs(X[:, 0]) if cls is DeepMLPRegressor else (X[:, 0] > 0).astype(int)
    return (
        cls(hidden_layer_sizes=(4, 4), max_iter=1, random_state=0, device="cpu")
        .set_params(**params)
        .fit(X, y)
    )


def test_lists_are_complete():
    assert cell("activation") == set(IN_PLACE)
    assert cell("solver") == SOLVERS | {"lbfgs"} == options("solver") - {"muon"}
    assert cell("loss") == {*CLASS_LOSSES, *VALUE_LOSSES}
    assert options("learning_rate") == SCHEDULES


@pytest.mark.parametrize(
    "params",
    [
        *({"solver": solver} for solver in sorted(SOLVERS)),
        *({"loss": loss} for loss in (*CLASS_LOSSES, *VALUE_LOSSES)),
        *({"learning_rate": name, "solver": "sgd"} for name in sorted(SCHEDULES)),
        {"learning_rate": torch.optim.lr_scheduler.ExponentialLR, "learning_rate__gamma": 0.9},
        {"warmup_epochs": 2},
        {"l1_ratio": 0.5, "max_grad_norm": 1.0, "dtype": "tf32"},
        {"callbacks": [lambda row: None]},
    ],
    ids=lambda params: "-".join(params),
)
def test_by_hand(params):
    model = fitted(**params)
    assert model.runner_ == "handwritten"
    assert set(model.runner_reasons_) == {"distributed", "cuda_graph", "compiled"}


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.2},
        {"normalization": "layer"},
        {"residual": True},
        {"categorical_features": [0]},
        {"activation": nn.PReLU},
        {"activation": torch.sin},
        {"solver": torch.optim.Adagrad},
        {"loss": lambda output, target: nn.functional.softplus(output[:, 0])},
        {"dtype": "bfloat16"},
        {"module": linear, "hidden_layer_sizes": (100,)},
    ],
    ids=lambda params: "-".join(params),
)
def test_by_autograd(params):
    model = fitted(**params)
    assert model.runner_ == "autograd"
    assert model.runner_reasons_["handwritten"]


def test_targets_on_the_page_are_those_of_the_benchmark():
    text = (PAGES / "benchmarks.md").read_text(encoding="utf-8")
    section = text.partition("## Targets for a training step")[2].partition("\n## ")[0]
    lines = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in section.splitlines()
        if re.match(r"\| (\w+)( \(.*?\))? \| (scikit-learn|PyTorch loop|skorch|–) \|", line)
    ]
    peers = {"sklearn": "scikit-learn", "torch": "PyTorch loop", "skorch": "skorch"}
    wanted = [
        (
            target.row,
            "–" if target.at_most else peers[target.peer],
            "at most " * target.at_most + f"{target.wanted:g}",
        )
        for target in TARGETS
    ]
    assert [(case.partition(" ")[0], peer, goal) for case, peer, _, goal, _ in lines] == wanted


@pytest.mark.parametrize("page", [*sorted(PAGES.glob("guide/*.md")), PAGES / "speed.md"])
def test_pages_for_users_speak_of_no_targets_of_the_project(page):
    assert not re.search(r"\| targets? \||target missed", page.read_text(encoding="utf-8"))
