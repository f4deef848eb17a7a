"""Orders and masks drawn by compiled code are those of NumPy and torch."""

import numpy as np
import pytest
import torch

from sknn.architectures import Dropout, draw_into
from sknn.engine.compiled._codes import (
    N_WORDS,
    BatchPlace,
    make_empty_memory,
    make_no_held_out,
)
from sknn.engine.compiled._orders import draw_masks, draw_order
from sknn.engine.compiled._packing import add_dropout, pack_generator, unpack_generator


@pytest.mark.parametrize("n_samples", [1, 2, 3, 150, 1000])
def test_orders_are_those_of_numpy_and_leave_its_state(n_samples):
    ours, numpys = np.random.RandomState(5), np.random.RandomState(5)
    before = ours.get_state(legacy=False)
    generator, order, expected = pack_generator(before), np.arange(n_samples), np.arange(n_samples)
    for _ in range(3):  # 1,000 samples use up all words and need new ones
        drawn = np.empty_like(order)
        draw_order(generator, order, drawn)
        order, expected = drawn, expected[numpys.permutation(n_samples)]
        np.testing.assert_array_equal(order, expected)
    ours.set_state(unpack_generator(generator, before))
    np.testing.assert_array_equal(ours.normal(size=9), numpys.normal(size=9))


def test_half_of_a_pair_of_normal_numbers_stays():
    state = np.random.RandomState(0)
    state.normal(size=3)  # of the last pair one is kept
    before = state.get_state(legacy=False)
    after = unpack_generator(pack_generator(before), before)
    assert (after["has_gauss"], after["gauss"]) == (1, before["gauss"])
    assert len(after["state"]["key"]) == N_WORDS


def test_other_generators_are_left_to_numpy():
    state = np.random.RandomState(np.random.PCG64(0)).get_state(legacy=False)
    assert len(pack_generator(state)) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (32, 100)])
def test_masks_are_those_of_layers(shape, dtype):
    n_samples, n_units = shape
    sizes, vector = np.array([3, n_units, 2, 1]), np.empty(0, dtype)
    held_out = make_no_held_out(sizes, 0, np.dtype(dtype))
    layers = [Dropout(0.3, seed=2**32 - 1), None]
    layers[0].state[1] = 10**6  # as many batches before
    n_all = n_samples * (n_units + 2)
    space = add_dropout(make_empty_memory(vector, held_out), layers, n_all)
    for _ in range(2):
        draw_masks(space, sizes, BatchPlace(0, 0, n_samples, n_samples))
        expected = torch.empty(shape, dtype=torch.from_numpy(vector).dtype)
        draw_into(expected, layers[0].state, layers[0].n_parts)
        mask, rest = np.split(space.masks, [n_samples * n_units])
        np.testing.assert_array_equal(mask.reshape(shape), expected.numpy())
        np.testing.assert_array_equal(rest, 1)
    assert space.dropouts[0, 1] == layers[0].state[1]
