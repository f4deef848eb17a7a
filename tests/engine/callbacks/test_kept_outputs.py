"""Raw predictions of training samples are kept in arrays made once an epoch."""

import gc
import weakref

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from sknn.engine.callbacks._kept_outputs import KeptOutputs

Y, OUTPUT, WEIGHT = torch.arange(10), torch.rand(10, 3), torch.rand(10)


def keep_parts(outputs, weighted, ends=(4, 8, 10)):
    """Keep the samples in parts; return references to the tensors that were handed in."""
    given, start = [], 0
    for end in ends:
        parts = [t[start:end].clone() for t in (Y, OUTPUT, WEIGHT)]
        target = (parts[0], parts[2]) if weighted else parts[0]
        outputs.keep(target, parts[1], len(Y))
        given.extend(map(weakref.ref, parts))
        start = end
    return given


@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_kept_is_what_was_given_and_holds_none_of_the_tensors(weighted):
    outputs = KeptOutputs()
    given = keep_parts(outputs, weighted)
    gc.collect()
    assert all(reference() is None for reference in given)
    y, output, weight = outputs.make_arrays()
    assert_array_equal(y, Y)
    assert_array_equal(output, OUTPUT)
    assert weight is None if not weighted else np.array_equal(weight, WEIGHT)


def test_a_copy_stays_as_it_is_while_more_is_kept():
    outputs = KeptOutputs()
    assert len(outputs) == 0
    assert outputs.get_outputs() == []
    keep_parts(outputs, False, (4,))
    copy = outputs.copy()
    outputs.keep(Y[4:7], OUTPUT[4:7], len(Y))
    assert (len(copy), len(outputs)) == (4, 7)
    assert_array_equal(copy.get_outputs()[0], OUTPUT[:4])
    assert_array_equal(outputs.get_outputs()[0], OUTPUT[:7])
