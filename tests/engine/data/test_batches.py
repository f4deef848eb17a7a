import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.utils import gen_batches, shuffle

from sknn import DeepMLPRegressor
from sknn.engine.data._batches import GROUP_NUMBERS, Batches, SampleDataset, make_tensor
from sknn.engine.data._forward import CHUNK_NUMBERS
from sknn.engine.data._sparse import SparseBatch


def test_dense_samples_share_memory(rng):
    X = rng.normal(size=(6, 3))
    rows = SampleDataset(X)
    X[0, 0] = 99
    assert rows.X[0, 0] == 99


def test_read_only_and_reversed_arrays_become_tensors_silently(rng):
    X = rng.normal(size=(6, 3))
    X.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(make_tensor(X[::-1]).numpy(), X[::-1])
        np.testing.assert_array_equal(make_tensor(X).numpy(), X)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("rows", [slice(1, 4), np.array([4, 0, 2])])
def test_sparse_samples_equal_dense_ones(container, rows, rng):
    X = rng.normal(size=(6, 3)) * (rng.random((6, 3)) > 0.5)
    y, weight = rng.normal(size=(6, 1)), rng.random(6)
    dense, thin = (
        SampleDataset(X, y, weight).take(rows),
        SampleDataset(container(X), y, weight).take(rows),
    )
    np.testing.assert_array_equal(dense[0].numpy(), thin[0].numpy())
    np.testing.assert_array_equal(thin[1][0].numpy(), y[rows])
    np.testing.assert_array_equal(thin[1][1].numpy(), weight[rows])


def test_sparse_data_are_never_dense_as_a_whole():
    X = sparse.random_array((10_000, 1_000_000), density=1e-6, format="csr", rng=0)
    taken, _ = SampleDataset(X, dtype=torch.float32).take(slice(0, 2))
    assert taken.shape == (2, 1_000_000)  # all rows would be 80 GB


def test_one_row_is_a_pair_as_skorch_has_it(rng):
    X = rng.normal(size=(6, 3))
    row, target = SampleDataset(X)[2]
    np.testing.assert_array_equal(row.numpy(), X[2])
    assert target == 0


@pytest.mark.parametrize("batch_size", [1, 4, 6, 10])
def test_batches_are_scikit_learns(batch_size):
    X = np.arange(10.0).reshape(-1, 1)
    batches = Batches(
        SampleDataset(X), batch_size, shuffle=True, random_state=np.random.RandomState(3)
    )
    random_state, order = np.random.RandomState(3), np.arange(10)
    for _ in range(3):
        order = shuffle(order, random_state=random_state)
        expected = [X[order[s], 0] for s in gen_batches(10, batch_size)]
        got = [batch[0][:, 0].numpy() for batch in batches]
        assert len(got) == len(batches) == len(expected)
        for mine, theirs in zip(got, expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("shuffle", [False, True])
def test_groups_hold_whole_batches_and_all_samples_in_their_order(shuffle):
    X = np.arange(29.0)[:, None] + np.zeros(GROUP_NUMBERS // 16)  # two batches of 8 fill a group
    batches = Batches(SampleDataset(X), 8, shuffle, np.random.RandomState(0))
    order = batches.begin()
    groups = [group[:, 0].numpy() for group, _ in batches.iterate_groups()]
    assert [len(group) for group in groups] == [16, 13]
    np.testing.assert_array_equal(np.concatenate(groups), order)
    left = [batch[:, 0].numpy() for batch, _ in batches.iterate(first=1)]
    assert [len(batch) for batch in left] == [8, 8, 5]
    np.testing.assert_array_equal(np.concatenate(left), order[8:])


def test_without_shuffling_samples_come_in_order():
    X = np.arange(5.0).reshape(-1, 1)
    got = torch.cat([batch[0] for batch in Batches(SampleDataset(X), 2)])
    np.testing.assert_array_equal(got.numpy(), X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
def test_products_with_sparse_batches_equal_scipys(container, dtype, rng):
    X = rng.normal(size=(7, 5)) * (rng.random((7, 5)) > 0.6)
    X[2] = 0  # a row and a column without an entry
    X[:, 3] = 0
    X = container(X.astype(dtype))
    batch = SparseBatch.from_csr(X, "cpu", by_column=True)
    right, left = rng.normal(size=(5, 4)).astype(dtype), rng.normal(size=(7, 3)).astype(dtype)
    out = torch.ones(5, 3, dtype=getattr(torch, dtype))
    batch.add_transposed_product(torch.from_numpy(left), out, -2.0)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-12}
    np.testing.assert_allclose(
        batch.multiply(torch.from_numpy(right)).numpy(), X @ right, **tolerance
    )
    np.testing.assert_allclose(out.numpy(), 1 - 2 * (X.T @ left), **tolerance)
    assert len(batch) == 7


@pytest.mark.parametrize("hidden", [(), (6,), (6, 3)])
def test_prediction_from_sparse_samples_equals_that_from_dense_ones(hidden, rng):
    X = rng.normal(size=(30, 5)) * (rng.random((30, 5)) > 0.6)
    model = DeepMLPRegressor("poisson", hidden, max_iter=300, random_state=0)
    model.fit(X, rng.poisson(2.0, 30))
    expected = model.predict(X)
    np.testing.assert_allclose(model.predict(sparse.csr_array(X)), expected, rtol=1e-12)
    many = np.tile(np.arange(30), 5000)  # more than one chunk of numbers of the widest layer
    assert len(many) * max(hidden, default=1) > CHUNK_NUMBERS
    np.testing.assert_allclose(
        model.predict(sparse.csc_matrix(X)[many]), expected[many], rtol=1e-12
    )
    np.testing.assert_allclose(model.predict(X[many]), expected[many], rtol=1e-12)
