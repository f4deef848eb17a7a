import numpy as np
import pytest
import torch
from torch import nn

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPRegressor,
)
from sknn.engine.optimizers._newton_schulz import COEFFICIENTS, N_ITERATIONS, orthogonalize
from sknn.engine.optimizers._optimizers import AdamW, Muon

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = {"lr": 0.01, "betas": (0.9, 0.99), "eps": 1e-8, "momentum": 0.9, "nesterov": True}
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > X[:, 1]).astype(int)
DNA = ["".join(letters) for letters in np.random.default_rng(0).choice([*"ACGT"], (60, 12))]


def follow(parameter, gradients, n_leading=0, **settings):
    """Return the parameter after the steps of Muon along gradients."""
    p = nn.Parameter(torch.tensor(parameter))
    optimizer = Muon([{"params": [p], "n_leading": n_leading}], **{**SETTINGS, **settings})
    for gradient in gradients:
        p.grad = torch.tensor(gradient)
        optimizer.step()
    return p.detach().numpy()


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (1, 4), (4, 1), (2, 3, 6, 4)])
def test_iterations_apply_the_polynomial_to_singular_values(shape, rng):
    matrices = rng.normal(size=shape)
    U, s, Vt = np.linalg.svd(matrices, full_matrices=False)
    s = s / np.linalg.norm(matrices, axis=(-2, -1))[..., None]
    a, b, c = COEFFICIENTS
    for _ in range(N_ITERATIONS):
        s = a * s + b * s**3 + c * s**5
    expected = (U * s[..., None, :]) @ Vt
    found = orthogonalize(torch.tensor(matrices)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("smallest", [0.005, 0.1, 1.0])
def test_singular_values_come_near_1(smallest, rng):
    U, V = (np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2))
    s = np.geomspace(smallest, 1, 6)
    s /= np.linalg.norm(s)  # as they are when the iterations begin
    found = np.linalg.svd(orthogonalize(torch.tensor(U * s @ V)).numpy(), compute_uv=False)
    assert (found > 0.3).all()
    assert (found < 1.3).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_scale_of_a_matrix_does_not_matter(dtype, rng):
    matrix = torch.tensor(rng.normal(size=(4, 7))).to(dtype)
    expected = orthogonalize(matrix)
    tiny = torch.finfo(dtype).tiny
    for factor in (1e-20, 1e20, 8 * tiny, torch.finfo(dtype).max / 8):
        torch.testing.assert_close(orthogonalize(matrix * factor), expected, rtol=1e-3, atol=1e-4)
    assert torch.equal(orthogonalize(matrix * 0), matrix * 0)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9 on")
@pytest.mark.parametrize("nesterov", [True, False])
def test_steps_are_torchs_up_to_bfloat16(nesterov, rng):
    start, gradients = rng.normal(size=(6, 9)), rng.normal(size=(4, 6, 9))
    p = nn.Parameter(torch.tensor(start))
    settings = {"momentum": 0.9, "nesterov": nesterov, "weight_decay": 0.0}
    theirs = torch.optim.Muon([p], lr=0.01, adjust_lr_fn="match_rms_adamw", **settings)
    for gradient in gradients:
        p.grad = torch.tensor(gradient)
        theirs.step()
    moved = p.detach().numpy() - start
    found = follow(start, gradients, nesterov=nesterov) - start
    # Each number is the sum of four, rounded to 8 bits; singular values move with the rounding.
    np.testing.assert_allclose(found, moved, atol=0.05 * np.abs(moved).max())


def test_a_stack_moves_as_its_matrices_do(rng):
    start, gradients = rng.normal(size=(3, 4, 5)), rng.normal(size=(4, 3, 4, 5))
    found = follow(start, gradients, n_leading=1)
    for i in range(3):
        np.testing.assert_allclose(found[i], follow(start[i], gradients[:, i]), rtol=1e-9)


def test_filters_move_as_matrices_of_flat_filters(rng):
    start, gradients = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 4, 3, 2))
    found = follow(start, gradients).reshape(4, 6)
    flat = follow(start.reshape(4, 6), gradients.reshape(4, 4, 6))
    np.testing.assert_allclose(found, flat, rtol=1e-12)


def test_steps_are_as_large_as_those_of_adam(rng):
    start = np.zeros((40, 90))
    first, step = rng.normal(size=start.shape), 0.01
    moved = follow(start, [first], lr=step)
    assert 0.1 * step < np.sqrt(np.mean(moved**2)) < 0.3 * step


def test_all_but_matrices_move_as_by_adamw(rng):
    starts = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(2, 2))

    def run(make):
        matrix, vector, table = (nn.Parameter(torch.tensor(start)) for start in starts)
        groups = [
            {"params": [matrix], "decay": 0.5, "n_leading": 0},
            {"params": [table], "decay": 0.5},
            {"params": [vector]},
        ]
        optimizer = make(groups)
        for i in range(5):
            for p in (matrix, vector, table):
                p.grad = torch.full_like(p, 0.1 * i - 0.2)
            optimizer.step()
            assert all(torch.all(p.grad == 0.1 * i - 0.2) for p in (matrix, vector, table))
        return vector.detach().numpy(), table.detach().numpy()

    of_adamw = {name: SETTINGS[name] for name in ("lr", "betas", "eps")}
    found, expected = run(lambda g: Muon(g, **SETTINGS)), run(lambda g: AdamW(g, **of_adamw))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_weight_decay_of_a_matrix_is_decoupled(rng):
    start, nothing = rng.normal(size=(3, 4)), np.zeros((3, 4))
    p = nn.Parameter(torch.tensor(start))
    optimizer = Muon([{"params": [p], "decay": 0.5, "n_leading": 0}], **SETTINGS)
    p.grad = torch.tensor(nothing)
    optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), start * (1 - 0.01 * 0.5), rtol=1e-14)


def test_a_closure_gives_the_gradient():
    p = nn.Parameter(torch.eye(3, dtype=torch.float64))
    optimizer = Muon([{"params": [p], "n_leading": 0}], **SETTINGS)

    def closure():
        optimizer.zero_grad()
        loss = p.square().sum()
        loss.backward()
        return float(loss.detach())

    assert optimizer.step(closure) == 3.0
    assert float(p.detach().square().sum()) < 3.0


SMALL = {"max_iter": 1, "random_state": 0, "solver": "muon"}


@pytest.mark.parametrize(
    ("estimator", "data", "shapes"),
    [
        (DeepMLPClassifier((5, 4), **SMALL), X, [(5, 3), (4, 5)]),
        (DeepMLPClassifier((5, 4), normalization="layer", **SMALL), X, [(5, 3), (4, 5)]),
        (AutoencoderTransformer(2, (5,), **SMALL), X, [(5, 3), (2, 5), (5, 2)]),
        (AutoencoderTransformer(2, (5,), tied_weights=True, **SMALL), X, [(5, 3), (2, 5)]),
        (SequenceCNNClassifier(4, 3, hidden_layer_sizes=(6,), **SMALL), DNA, [(4, 3, 4), (6, 8)]),
        (TabularMLPRegressor(n_members=2, hidden_width=6, **SMALL), X, [(2, 27, 6), (2, 6, 6)]),
    ],
    ids=["mlp", "normalized mlp", "autoencoder", "tied weights", "sequences", "ensemble"],
)
def test_weights_of_hidden_layers_are_orthogonalized(estimator, data, shapes):
    estimator.fit(data, Y)
    groups = estimator.net_.optimizer_.param_groups
    hidden = [p for group in groups if "n_leading" in group for p in group["params"]]
    assert [tuple(p.shape) for p in hidden] == shapes
    n_parameters = sum(len(group["params"]) for group in groups)
    assert n_parameters == len(list(estimator.module_.parameters()))
    assert estimator.runner_ == "autograd"
    if isinstance(estimator, DeepMLPClassifier) and estimator.normalization is None:
        assert "muon" in estimator.runner_reasons_["handwritten"]


def test_of_a_users_module_all_linear_layers_but_the_last_are_hidden():
    def module(n_inputs, n_outputs):
        return nn.Sequential(nn.Linear(n_inputs, 7), nn.BatchNorm1d(7), nn.Linear(7, n_outputs))

    model = DeepMLPClassifier(module=module, **SMALL).fit(X, Y)
    groups = model.net_.optimizer_.param_groups
    hidden = [p for group in groups if "n_leading" in group for p in group["params"]]
    assert [tuple(p.shape) for p in hidden] == [(7, 3)]


def test_muon_learns_what_adamw_learns(rng):
    Z = rng.normal(size=(400, 4))
    target = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 2]
    settings = {"hidden_layer_sizes": (40, 40), "max_iter": 60, "random_state": 0}
    scores = {
        solver: DeepMLPRegressor(solver=solver, learning_rate_init=0.005, **settings)
        .fit(Z[:300], target[:300])
        .score(Z[300:], target[300:])
        for solver in ("adamw", "muon")
    }
    assert scores["muon"] > 0.9
    assert scores["muon"] > scores["adamw"] - 0.05


def test_momentum_is_muons_too():
    settings = {**SMALL, "max_iter": 5, "hidden_layer_sizes": (5,)}
    curves = [
        DeepMLPClassifier(momentum=momentum, nesterovs_momentum=nesterov, **settings)
        .fit(X, Y)
        .loss_curve_
        for momentum, nesterov in ((0.5, True), (0.9, True), (0.9, False))
    ]
    assert curves[0] != curves[1] != curves[2]
