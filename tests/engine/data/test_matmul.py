"""Products of stacks of matrices."""

import warnings

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from sknn.engine.data._matmul import ignore_overflow, multiply, use_one_thread_per_product


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("turned", ["", "a", "b", "ab"])
def test_same_as_torch(dtype, turned):
    state = np.random.RandomState(0)
    a = torch.from_numpy(state.normal(size=(4, 5, 3))).to(dtype)
    b = torch.from_numpy(state.normal(size=(4, 3, 2))).to(dtype)
    if "a" in turned:
        a = a.transpose(1, 2).contiguous().transpose(1, 2)
    if "b" in turned:
        b = b.transpose(1, 2).contiguous().transpose(1, 2)
    out = torch.full((4, 5, 2), torch.nan, dtype=dtype)
    multiply(a, b, out)
    torch.testing.assert_close(out, torch.einsum("nij,njk->nik", a, b))


def test_writes_into_a_view():
    space = torch.zeros(3, 6, 2)
    multiply(torch.ones(2, 6, 4), torch.ones(2, 4, 2), space[1:])
    assert space[0].eq(0).all()
    assert space[1:].eq(4).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_same_on_a_gpu():
    state = np.random.RandomState(0)
    a, b = (torch.from_numpy(state.normal(size=size)) for size in [(4, 5, 3), (4, 3, 2)])
    out = torch.empty(4, 5, 2, dtype=a.dtype, device="cuda")
    multiply(a.cuda(), b.cuda(), out)
    torch.testing.assert_close(out.cpu(), a @ b)


def test_infinite_products_do_not_warn():
    a = torch.tensor([[[torch.inf, -torch.inf]]])
    out = torch.empty(1, 1, 1)
    with warnings.catch_warnings(), ignore_overflow():
        warnings.simplefilter("error")
        multiply(a, torch.ones(1, 2, 1), out)
    assert out.isnan().all()


def test_one_thread_inside_the_block():
    def n_threads():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    before = n_threads()
    with use_one_thread_per_product():
        assert set(n_threads()) <= {1}
    assert n_threads() == before
