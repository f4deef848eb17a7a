"""Filters that read letters by compiled code, held equal to those that multiply."""

from contextlib import nullcontext
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sknn._jit import jit
from sknn._vectors import count_lanes
from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.architectures.layers._windows import find_valid_windows
from sknn.architectures.letters._pooling import explain_no_steps, read_letters

pytestmark = pytest.mark.skipif(
    explain_no_steps(torch.float64) is not None, reason=str(explain_no_steps(torch.float64))
)
LENGTH = 19
PLAIN = SequenceOptions(n_filters=5, kernel_size=4, dropout=0.0)
OPTIONS = {
    "one strand": PLAIN,
    "both strands": replace(PLAIN, reverse_complement=True),
    "the same on both": replace(PLAIN, reverse_complement=True, same_on_strands=True),
    "no places": replace(PLAIN, position_bias=False, reverse_complement=True),
    "odd kernel": replace(PLAIN, kernel_size=7, n_filters=70),
    "linear": replace(PLAIN, first_activation="linear"),
    "largest of exp": replace(PLAIN, first_activation="exp", pooling="max"),
    "mean": replace(PLAIN, pooling="mean"),
}


def make_sequences(n_channels=4, padded=True, dtype=torch.float64):
    """Return one-hot sequences: whole, with gaps, padded, shorter than a filter, and empty."""
    random_state = np.random.RandomState(0)
    X = np.eye(n_channels)[random_state.randint(0, n_channels, (8, LENGTH))]
    if padded:
        X[1, 5:7] = X[2, :6] = X[3, 11:] = X[4, :4] = X[4, 15:] = X[5, 2:] = X[6] = 0
        X[7, :8] = X[7, 10:] = 0
    return torch.from_numpy(X).to(dtype)


def make_network(options, n_channels=4):
    cnn = SequenceCNN(LENGTH, n_channels, 2, options, torch.float64)
    random_state = np.random.RandomState(1)
    cnn.initialize_weights(random_state)
    for p in cnn.parameters():
        p.data += torch.from_numpy(random_state.normal(0.0, 0.3, p.shape))
    return cnn


def compute(cnn, X):
    """Return output and gradients."""
    cnn.zero_grad()
    output = cnn(X.flatten(1))
    (output**2).sum().backward()
    return [output.detach(), *(p.grad.clone() for p in cnn.parameters())]


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_letters_give_what_products_give(name, padded):
    cnn, X = make_network(OPTIONS[name]), make_sequences(padded=padded)
    assert read_letters(X, PLAIN.kernel_size) is not None
    by_letters = compute(cnn, X)
    # Numbers that are no letters, though they differ by nothing that is worth mention.
    almost = X * (1 - 1e-14)
    assert read_letters(almost, PLAIN.kernel_size) is None
    for ours, theirs in zip(by_letters, compute(cnn, almost), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


def test_what_instructions_do_is_written_beside_them():
    """Of a sequence by the instructions and by Python; some values are equal, one is NaN."""
    windows = pytest.importorskip("sknn.architectures.letters._windows")

    @jit
    def visit(block, pooled, traced):
        windows.visit_forward(block, pooled)
        windows.visit_backward(block, traced)

    @jit
    def count(array):
        return count_lanes(array)

    rng, width = np.random.default_rng(0), windows.N_VECTORS * count(np.zeros(1))
    table, shift = rng.normal(size=(3, 25, width)), rng.normal(size=(7, width)).round(1)
    shift[2, 1], table[:, :, 2], shift[:, 2] = nan, 0.0, 1.0
    codes = rng.integers(0, 25, 12).astype(np.int32)
    block = windows.WindowBlock(table, shift, codes, (1, 7), (2, 0), 0.1)
    found = []
    for is_compiled in (True, False):
        pooled = [np.zeros(width) for _ in range(3)]
        place = np.arange(width) % 7.0
        traced = (place, np.full(width, 2.0), np.full(width, 3.0), np.zeros_like(table), shift * 0)
        if is_compiled:
            visit(block, tuple(pooled), traced)
        else:
            windows._pool_windows(block, tuple(pooled))
            windows._trace_windows(block, traced)
        found.append([*pooled, *traced])
    for by_instructions, by_python in zip(*found, strict=True):
        np.testing.assert_allclose(by_instructions, by_python, rtol=1e-12, atol=1e-12)
    assert np.isnan(found[0][0][1])
    assert found[0][1][2] == 1.0  # the first of equal windows


def test_letters_of_large_alphabets_are_read_one_by_one():
    cnn, X = make_network(PLAIN, n_channels=20), make_sequences(n_channels=20)
    assert read_letters(X, 4).n_letters == 1
    for ours, theirs in zip(compute(cnn, X), compute(cnn, X * (1 - 1e-14)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kernel_size", [1, 4, 11])
def test_windows_that_see_padding_are_left_out(kernel_size):
    X = make_sequences()
    letters, valid = read_letters(X, kernel_size), find_valid_windows(X, kernel_size)
    numbers = np.arange(LENGTH - kernel_size + 1)
    first, last = letters.windows.T[:, :, None]
    np.testing.assert_array_equal((numbers >= first) & (numbers < last), valid.numpy())


def test_a_sequence_has_the_same_output_in_every_batch():
    cnn, X = make_network(OPTIONS["both strands"]), make_sequences()
    with torch.inference_mode():
        assert torch.equal(torch.cat([cnn.pool(x) for x in X.split(3)]), cnn.pool(X))


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_numbers_that_are_not_finite_are_passed_on(number):
    cnn = make_network(PLAIN)
    cnn.bank.weight.data[0, 2, 1] = number
    assert torch.equal(torch.isfinite(cnn.pool(make_sequences()[:1])), make_is_finite(number))


def make_is_finite(number):
    """Return where values pooled from a sequence with the letter are finite, (1, 10)."""
    finite = torch.ones(1, 10, dtype=torch.bool)
    # The largest value and the mean of the filter; -inf hides nothing: ReLU makes it 0.
    finite[0, [0, 5]] = number == -inf
    return finite


class Watching(TorchDispatchMode):
    """Sees every operation of torch."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **kwargs or {})


@pytest.mark.parametrize(
    "case", ["two letters", "a share", "one channel", "gradient", "autocast", "watched"]
)
def test_what_is_not_letters_is_multiplied(case):
    X = make_sequences()
    if case == "two letters":
        X[0, 3] = 1
    elif case == "a share":
        X[0, 3] = 0.25
    elif case == "one channel":
        X = X[:, :, :1]
    elif case == "gradient":
        X.requires_grad_()
    watched = Watching() if case == "watched" else nullcontext()
    with watched, torch.autocast("cpu", dtype=torch.bfloat16, enabled=case == "autocast"):
        assert read_letters(X, 4) is None


def test_numbers_of_half_a_float_are_not_read():
    assert "are not read in torch.float16" in explain_no_steps(torch.float16)
    assert read_letters(make_sequences(dtype=torch.float16), 4) is None
