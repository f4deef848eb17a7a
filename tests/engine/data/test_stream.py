"""Samples of a stream, a buffer at a time."""

import threading

import numpy as np
import pytest

from sknn._specs import Sample
from sknn.engine.data._stream import StreamedBatches, StreamedDataset, fill_buffers, prefetch


class Stream:
    """Pieces of different sizes; the only column of X is the number of the sample."""

    n_pieces, dtype = 5, np.dtype(np.float64)

    def __init__(self, n_samples=103):
        self.X = np.arange(float(n_samples))[:, None]
        self.shape = self.X.shape
        self.kept = Sample(self.X[:4], self.X[:4] * 2)

    def read(self, pieces):
        parts = np.array_split(self.X, self.n_pieces)
        for piece in pieces:
            for X in np.array_split(parts[piece], 2):
                yield Sample(X, X * 2)


def make(shuffle=True, buffer_bytes=8 * 40, seed=0, **stream):
    dataset = StreamedDataset(Stream(**stream))
    return StreamedBatches(dataset, 10, shuffle, np.random.RandomState(seed), buffer_bytes)


def numbers(batches):
    return [X[:, 0].numpy().copy() for X, _ in batches]


def test_an_epoch_has_each_sample_once_in_whole_batches_and_a_new_order():
    batches = make()
    epochs = [numbers(batches) for _ in range(2)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [10] * 10 + [3]
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(103))
    assert not np.array_equal(np.concatenate(epochs[0]), np.concatenate(epochs[1]))
    assert not np.array_equal(np.concatenate(epochs[0]), np.arange(103))


def test_targets_stay_beside_their_samples():
    for X, y in make():
        np.testing.assert_array_equal(y, 2 * X)


def test_without_shuffle_samples_keep_their_order():
    np.testing.assert_array_equal(np.concatenate(numbers(make(shuffle=False))), np.arange(103))


@pytest.mark.parametrize("first", [1, 4, 7])
def test_an_epoch_goes_on_from_any_batch(first):
    whole, part = make(), make()
    expected = [X[:, 0].numpy() for X, _ in whole.iterate()]
    found = [X[:, 0].numpy() for X, _ in part.iterate(first)]
    for one, other in zip(found, expected[first:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_buffer_holds_whole_batches_and_no_more_than_all_samples():
    assert make(buffer_bytes=1).capacity == 10
    assert make(buffer_bytes=8 * 59).capacity == 50
    assert make(buffer_bytes=2**30).capacity == 110


def test_two_buffers_are_filled_by_turns():
    parts = make(buffer_bytes=8 * 20).iterate_parts()
    places = [dataset.X.data_ptr() for dataset, _ in parts]
    assert len(places) == 6
    assert len(set(places)) == 2


def test_buffers_are_filled_across_chunks_with_weights():
    chunks = [Sample(np.full((n, 2), n), np.full(n, n), np.full(n, 0.5)) for n in (3, 5, 1)]
    filled = list(fill_buffers(iter(chunks), 4))
    assert [sample.y.tolist() for sample in filled] == [[3, 3, 3, 5], [5, 5, 5, 5], [1]]
    assert filled[-1].sample_weight.tolist() == [0.5]
    assert list(fill_buffers(iter([]), 4)) == []


def test_items_are_made_by_another_thread_one_ahead():
    made = []

    def items():
        for i in range(4):
            made.append((i, threading.current_thread()))
            yield i

    found = prefetch(items())
    assert next(found) == 0
    assert list(found) == [1, 2, 3]
    assert threading.main_thread() not in {thread for _, thread in made}


def list_readers():
    """Return the threads that read; others come and go, such as those of a server."""
    return {t for t in threading.enumerate() if t.name.startswith("sknn-reader")}


def test_an_error_of_the_thread_comes_out_and_a_reader_may_stop_early():
    def items():
        yield 1
        raise ValueError("the file is damaged")

    found = prefetch(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="the file is damaged"):
        next(found)
    before = list_readers()
    stopped = prefetch(iter(range(10)))
    next(stopped)
    stopped.close()
    assert list_readers() <= before
