import pickle

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.metrics import (
    hinge_loss,
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
)
from sklearn.neural_network._base import LOSS_FUNCTIONS as SKLEARN

from sknn._specs import TargetSpec
from sknn.engine.losses._loss import TableLoss
from sknn.engine.losses._table import LOSSES, MeanLoss, choose_loss, make_loss
from sknn.losses import CLASS_LOSSES, RECONSTRUCTION, VALUE_LOSSES
from sknn.preprocessing import ClassCodec, ValueCodec

N = 7
LEVELS = (0.05, 0.3, 0.5, 0.8, 0.99)
INVERSE_LINKS = {
    "log_loss": lambda z: softmax(z, axis=1),
    "binary_log_loss": expit,
    "squared_error": lambda z: z,
    "poisson": np.exp,
}

#: the loss of autoencoders, whose y has columns of several kinds, has tests of its own
OF_TARGETS = [name for name in LOSSES if name != RECONSTRUCTION.name]
#: name of the case -> loss, settings, raw predictions of a column of y
N_RAW = {"gaussian_nll": 2, "ordered_bins": 32}
CASES = {name: (name, {}, N_RAW.get(name, 1)) for name in OF_TARGETS} | {
    "log_loss smoothed": ("log_loss", {"label_smoothing": 0.2}, 1),
    "binary_log_loss smoothed": ("binary_log_loss", {"label_smoothing": 0.2}, 1),
    "focal smoothed": ("focal", {"gamma": 1.5, "label_smoothing": 0.1}, 1),
    "focal below 1": ("focal", {"gamma": 0.4}, 1),
    "binary_focal smoothed": ("binary_focal", {"gamma": 1.5, "label_smoothing": 0.1}, 1),
    "binary_focal below 1": ("binary_focal", {"gamma": 0.4}, 1),
    "huber narrow": ("huber", {"delta": 0.3}, 1),
    "one quantile": ("quantile", {"quantiles": (0.9,)}, 1),
    "two quantiles": ("quantile", {"quantiles": (0.1, 0.9)}, 2),
    "quantiles": ("quantile", {"quantiles": LEVELS}, 5),
    "quantiles from below": ("quantile", {"quantiles": (0.6, 0.7, 0.9)}, 3),
    "quantiles from above": ("quantile", {"quantiles": (0.1, 0.2, 0.4)}, 3),
    "gaussian_nll wide": ("gaussian_nll", {"min_std": 0.5}, 2),
}


def is_multiclass(loss):
    return loss in ("log_loss", "focal", "hinge")


def data(case, rng, n_columns=3):
    """Return raw predictions and encoded targets for a loss."""
    loss, _, k = CASES[case]
    output = torch.from_numpy(rng.normal(size=(N, n_columns * k)))
    if is_multiclass(loss):
        return output, torch.from_numpy(rng.integers(0, n_columns, N))
    if loss.startswith("binary"):
        return output, torch.from_numpy(rng.integers(0, 2, (N, n_columns)).astype(float))
    if loss in ("poisson", "gamma"):
        return output, torch.from_numpy(rng.poisson(2.0, (N, n_columns)) + 1.0)
    return output, torch.from_numpy(rng.normal(size=(N, n_columns)))


def make(case):
    loss, settings, _ = CASES[case]
    return LOSSES[loss](**settings)


def test_the_tables_of_tensors_and_of_targets_name_the_same_losses():
    binary = {f"binary_{name}" for name in CLASS_LOSSES}
    assert set(OF_TARGETS) == set(VALUE_LOSSES) | set(CLASS_LOSSES) | binary


@pytest.mark.parametrize("n_columns", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_numeric_ones(case, n_columns, rng):
    output, target = data(case, rng, n_columns)
    loss = make(case)
    output.requires_grad_()
    assert loss.per_sample(output, target).shape == (N,)
    assert torch.autograd.gradcheck(lambda z: loss.per_sample(z, target), (output,))


@pytest.mark.parametrize("n_columns", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_formulas_of_gradients_equal_autograds(case, n_columns, rng):
    output, target = data(case, rng, n_columns)
    loss, z = make(case), output.clone().requires_grad_()
    loss.per_sample(z, target).sum().backward()
    y = target.t() if target.ndim > 1 else torch.eye(n_columns, dtype=output.dtype)[target].t()
    into = torch.full((output.shape[1], N), torch.nan, dtype=output.dtype)
    before = y.clone(), output.clone()
    loss.write_gradient(output.t().contiguous(), y.contiguous(), into)
    np.testing.assert_allclose(into.t().numpy(), z.grad.numpy(), atol=1e-12)
    assert torch.equal(y, before[0])
    assert torch.equal(output, before[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][0] not in ("poisson", "gamma")])
def test_costs_and_gradients_of_sure_and_wrong_predictions_are_finite(case, dtype, rng):
    output, target = data(case, rng)
    target = target.to(dtype) if target.ndim > 1 else target
    z = (1e4 * output).to(dtype).requires_grad_()
    loss = make(case)
    costs = loss.per_sample(z, target)
    costs.sum().backward()
    assert torch.isfinite(costs).all()
    assert torch.isfinite(z.grad).all()
    y = target.t() if target.ndim > 1 else torch.eye(3, dtype=dtype)[target].t()
    into = torch.empty_like(z.detach().t())
    loss.write_gradient(z.detach().t().contiguous(), y.contiguous(), into)
    np.testing.assert_allclose(into.t().numpy(), z.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("loss", INVERSE_LINKS)
def test_mean_loss_equals_scikit_learns(loss, n_outputs, weighted, rng):
    n_outputs = max(n_outputs, 2) if loss == "log_loss" else n_outputs
    output, target = data(loss, rng, n_outputs)
    theirs = np.eye(n_outputs)[target] if loss == "log_loss" else target.numpy()
    weight = rng.uniform(0.1, 3, N) if weighted else None
    expected = SKLEARN[loss](theirs, INVERSE_LINKS[loss](output.numpy()), weight)
    if loss == "squared_error":  # theirs is the mean over outputs, though its gradient is the sum's
        expected *= n_outputs
    got = MeanLoss(loss)(output, target, None if weight is None else torch.from_numpy(weight))
    np.testing.assert_allclose(float(got), expected, rtol=1e-10)


@pytest.mark.parametrize("loss", INVERSE_LINKS)
def test_gradient_is_prediction_minus_target(loss, rng):
    """With the canonical link, the gradient of each loss is the inverse link of z, minus y."""
    z, target = data(loss, rng)
    theirs = np.eye(3)[target] if loss == "log_loss" else target.numpy()
    z.requires_grad_()
    LOSSES[loss]().per_sample(z, target).sum().backward()
    expected = INVERSE_LINKS[loss](z.detach().numpy()) - theirs
    np.testing.assert_allclose(z.grad.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("loss", INVERSE_LINKS)
def test_links_equal_numpy(loss, rng):
    z = rng.normal(size=(N, 3))
    np.testing.assert_allclose(
        LOSSES[loss]().inverse_link(torch.from_numpy(z)).numpy(), INVERSE_LINKS[loss](z)
    )


@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][0] in VALUE_LOSSES])
@pytest.mark.parametrize("n_columns", [1, 3])
def test_links_of_numbers_equal_the_codecs(case, n_columns, rng):
    loss, settings, k = CASES[case]
    output, target = data(case, rng, n_columns)
    if loss in ("bounded", "ordered_bins"):
        settings = {**settings, "y_range": (0, 1)}
    codec = ValueCodec(loss, False, settings).fit(target.numpy())
    assert codec.spec_.n_outputs == output.shape[1]
    linked = choose_loss(codec.spec_).inverse_link(output).numpy().reshape(N, n_columns, -1)
    if codec.has_std:
        std = codec.decode_std(output.numpy()).reshape(N, n_columns)
        np.testing.assert_allclose(linked[..., 1], std)
        linked = linked[..., 0]
    decoded = codec.decode(output.numpy()).reshape(linked.shape if k > 1 else (N, n_columns, 1))
    np.testing.assert_allclose(linked, decoded)


# --- values --------------------------------------------------------------------------------


def test_perfect_poisson_and_gamma_predictions_cost_nothing():
    y = torch.tensor([[3.0], [0.5]])
    for loss in ("poisson", "gamma"):
        assert LOSSES[loss]().per_sample(y.log(), y).abs().max() < 1e-6


def test_gamma_is_half_scikit_learns_deviance(rng):
    z, y = data("gamma", rng, 1)
    ours = MeanLoss("gamma")(z, y)
    expected = mean_gamma_deviance(y[:, 0].numpy(), np.exp(z[:, 0].numpy()))
    assert float(ours) == pytest.approx(0.5 * expected, rel=1e-12)


def test_absolute_error_is_scikit_learns(rng):
    z, y = data("absolute_error", rng, 2)
    expected = 2 * mean_absolute_error(y, z)  # theirs is the mean over outputs
    assert float(MeanLoss("absolute_error")(z, y)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("error", "cost"), [(0.5, 0.125), (-1.0, 0.5), (3.0, 2.5), (-3.0, 2.5)])
def test_huber_by_hand(error, cost):
    z, y = torch.tensor([[error]]), torch.zeros(1, 1)
    assert LOSSES["huber"](delta=1.0).per_sample(z, y).item() == pytest.approx(cost)


def test_quantile_is_the_mean_of_scikit_learns_pinball_losses(rng):
    z, y = data("quantiles", rng, 2)
    loss = LOSSES["quantile"](quantiles=LEVELS)
    q = loss.inverse_link(z).reshape(N, 2, 5).numpy()
    expected = [
        mean_pinball_loss(y[:, j].numpy(), q[:, j, k], alpha=level)
        for j in range(2)
        for k, level in enumerate(LEVELS)
    ]
    assert float(loss.per_sample(z, y).mean()) == pytest.approx(np.sum(expected) / 5, rel=1e-12)


def test_gaussian_nll_is_scipys_negative_log_density(rng):
    from scipy.stats import norm

    z, y = data("gaussian_nll", rng, 2)
    loss = LOSSES["gaussian_nll"](min_std=0.1)
    mean, std = loss.inverse_link(z).reshape(N, 2, 2).unbind(2)
    np.testing.assert_allclose(std.numpy(), np.logaddexp(0, z[:, 1::2].numpy()) + 0.1)
    expected = -norm.logpdf(y.numpy(), mean.numpy(), std.numpy()).sum(axis=1)
    np.testing.assert_allclose(loss.per_sample(z, y).numpy(), expected, rtol=1e-12)


# --- classes -------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_smoothed_log_loss_is_that_of_smoothed_targets(smoothing, rng):
    z, y = data("log_loss", rng, 4)
    soft = (1 - smoothing) * np.eye(4)[y] + smoothing / 4
    expected = -(soft * np.log(softmax(z.numpy(), axis=1))).sum(axis=1)
    ours = LOSSES["log_loss"](label_smoothing=smoothing).per_sample(z, y)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12)


def test_smoothed_binary_log_loss_is_that_of_two_smoothed_classes(rng):
    z, y = data("binary_log_loss", rng, 1)
    two = torch.cat([torch.zeros_like(z), z], dim=1)
    several = LOSSES["log_loss"](label_smoothing=0.3).per_sample(two, y[:, 0].long())
    ours = LOSSES["binary_log_loss"](label_smoothing=0.3).per_sample(z, y)
    np.testing.assert_allclose(ours.numpy(), several.numpy(), rtol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_binary_focal_is_that_of_two_classes(gamma, smoothing, rng):
    z, y = data("binary_focal", rng, 1)
    two = torch.cat([torch.zeros_like(z), z], dim=1)
    settings = {"gamma": gamma, "label_smoothing": smoothing}
    several = LOSSES["focal"](**settings).per_sample(two, y[:, 0].long())
    ours = LOSSES["binary_focal"](**settings).per_sample(z, y)
    np.testing.assert_allclose(ours.numpy(), several.numpy(), rtol=1e-12)


def test_focal_without_focus_is_the_log_loss(rng):
    z, y = data("focal", rng, 4)
    ours = float(LOSSES["focal"](gamma=0.0).per_sample(z, y).mean())
    expected = log_loss(y, softmax(z.numpy(), axis=1), labels=range(4))
    assert ours == pytest.approx(expected, rel=1e-12)


def test_focal_is_the_papers_formula(rng):
    z, y = data("focal", rng, 4)
    p = softmax(z.numpy(), axis=1)[np.arange(N), y]
    expected = -((1 - p) ** 2) * np.log(p)
    np.testing.assert_allclose(LOSSES["focal"]().per_sample(z, y).numpy(), expected, rtol=1e-12)


def test_hinge_losses_are_scikit_learns(rng):
    z, y = data("hinge", rng, 4)
    expected = hinge_loss(y, z, labels=range(4))
    assert float(MeanLoss("hinge")(z, y)) == pytest.approx(expected, rel=1e-12)
    z, y = data("binary_hinge", rng, 1)
    expected = hinge_loss(2 * y[:, 0] - 1, z[:, 0])
    assert float(MeanLoss("binary_hinge")(z, y)) == pytest.approx(expected, rel=1e-12)


# --- a user's function ---------------------------------------------------------------------


def test_a_users_function_may_return_a_cost_for_each_row_or_each_output(rng):
    z, y = data("squared_error", rng)
    each = make_loss(lambda output, target: (output - target) ** 2)
    rows = make_loss(lambda output, target: ((output - target) ** 2).sum(dim=1))
    expected = 2 * LOSSES["squared_error"]().per_sample(z, y)
    assert torch.equal(each.per_sample(z, y), rows.per_sample(z, y))
    np.testing.assert_allclose(each.per_sample(z, y).numpy(), expected.numpy())
    assert each.write_gradient is None


def test_torchs_own_losses_can_be_used(rng):
    z, y = data("log_loss", rng)
    theirs = make_loss(torch.nn.CrossEntropyLoss(reduction="none"))
    expected = LOSSES["log_loss"]().per_sample(z, y)
    np.testing.assert_allclose(theirs.per_sample(z, y).numpy(), expected.numpy())
    assert theirs.name == "CrossEntropyLoss"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z, y: ((z - y) ** 2).mean(), r"shape \(7,\) or \(7, 3\); got shape \(\).*none"),
        (lambda z, y: (z - y)[:, :2], r"got shape \(7, 2\)"),
        (lambda z, y: (z - y).mean(dim=0), r"got shape \(3,\)"),
        (lambda z, y: 0.5, r"the loss per sample.*got 'float'"),
        (lambda z, y: (z.detach() - y) ** 2, r"The loss has no gradient.*without detach\(\)"),
    ],
)
def test_a_users_function_that_returns_something_else_is_an_error(function, message, rng):
    z, y = data("squared_error", rng)
    with pytest.raises(ValueError, match=message):
        make_loss(function).per_sample(z.requires_grad_(), y)


@pytest.mark.parametrize("loss", ["mse", 3, None])
def test_an_unknown_loss_is_an_error(loss):
    with pytest.raises(ValueError, match=r"loss must be one of \['absolute_error'.*got"):
        make_loss(loss)


@pytest.mark.parametrize(
    ("kind", "link"),
    [("values", None), ("multiclass", softmax), ("binary", expit), ("multilabel", expit)],
)
def test_the_output_of_a_users_function_is_taken_as_torchs_losses_do(kind, link, rng):
    def cost(output, target):
        return output

    loss = choose_loss(TargetSpec(kind, 3, cost))
    z = rng.normal(size=(N, 3))
    expected = z if link is None else link(z, axis=1) if link is softmax else link(z)
    np.testing.assert_allclose(loss.inverse_link(torch.from_numpy(z)).numpy(), expected)
    assert loss.name == "cost"


@pytest.mark.parametrize("case", CASES)
def test_losses_can_be_pickled(case, rng):
    output, target = data(case, rng)
    loss = make(case)
    again = pickle.loads(pickle.dumps(loss))
    assert isinstance(again, TableLoss)
    assert torch.equal(again.per_sample(output, target), loss.per_sample(output, target))
    assert torch.equal(again.inverse_link(output), loss.inverse_link(output))


@pytest.mark.parametrize("loss", ["log_loss", "focal", "hinge"])
@pytest.mark.parametrize("y", [[0, 1, 2], [0, 1, 1], np.eye(3, dtype=int)], ids=["3", "2", "sets"])
def test_a_codec_of_classes_leads_to_its_loss(loss, y):
    spec = ClassCodec(loss).fit(y).spec_
    several = spec.kind == "multiclass"
    assert choose_loss(spec).name == (loss if several else f"binary_{loss}")
