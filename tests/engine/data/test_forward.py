"""Chunks of outputs become one array, and do not stay in memory one by one."""

import weakref

import numpy as np

from sknn.engine.data._forward import join_chunks


def test_no_chunk_is_kept_beside_the_array_that_it_was_written_into():
    alive = []

    def chunks():
        for start in range(0, 10, 3):
            assert [ref for ref in alive[:-1] if ref() is not None] == []
            chunk = np.arange(start, min(start + 3, 10))[:, None] * np.ones((1, 2), np.float32)
            alive.append(weakref.ref(chunk))
            yield chunk
            del chunk

    joined = join_chunks(chunks(), 10)
    np.testing.assert_array_equal(joined, np.arange(10)[:, None] * [[1, 1]])
    assert joined.dtype == np.float64
