"""How often fit and predict read a data frame, and how much memory they take beside X."""

import gc
import tracemalloc
import weakref

import numpy as np
import pandas as pd
import pytest

from sknn import AutoencoderTransformer, DeepMLPClassifier, TabularMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 300
RNG = np.random.default_rng(0)
GROUP = np.array(["a", "b", "c"])[np.arange(N) % 3]


class CountingFrame(pd.DataFrame):
    """Counts how often it, and what is taken from it, gives its columns or its numbers."""

    _metadata = ("reads",)  # attributes that pandas hands on

    @property
    def _constructor(self):
        return CountingFrame

    def items(self):
        self.reads.append("columns")
        return super().items()

    def to_numpy(self, *args, **kwargs):
        self.reads.append("numbers")
        return super().to_numpy(*args, **kwargs)


def make_frame(*, has_text):
    frame = CountingFrame(RNG.normal(size=(N, 2)), columns=["a", "b"])
    frame.reads = []
    if has_text:
        frame["group"] = GROUP
    frame.reads.clear()
    return frame


@pytest.mark.parametrize("has_text", [True, False])
@pytest.mark.parametrize(
    ("make", "in_fit"),
    [
        (lambda: DeepMLPClassifier(max_iter=1), 1),
        (lambda: DeepMLPClassifier(solver="lbfgs", max_iter=1, scale="standard"), 1),
        (lambda: TabularMLPClassifier(n_members=2, max_iter=1), 1),
    ],
)
def test_a_frame_is_read_once(make, in_fit, has_text):
    X = make_frame(has_text=has_text)
    model = make().fit(X, np.arange(N) % 2)
    assert X.reads == ["columns" if has_text else "numbers"] * in_fit
    X.reads.clear()
    model.predict(X[:1])
    assert len(X.reads) == 1


@pytest.mark.parametrize("has_text", [True, False])
def test_early_stopping_reads_a_frame_and_its_two_parts_once(has_text):
    X = make_frame(has_text=has_text)
    DeepMLPClassifier(early_stopping=True, max_iter=1).fit(X, np.arange(N) % 2)
    # The parts of a matrix are taken from it; levels may differ from part to part.
    assert X.reads == (["columns"] * 3 if has_text else ["numbers"])


@pytest.mark.parametrize(
    ("options", "kind", "limit"),
    [
        ({}, "array", 0.3),
        ({"solver": "lbfgs"}, "array", 0.3),
        ({"solver": "lbfgs", "early_stopping": True}, "array", 0.3),
        ({"early_stopping": True}, "array", 1.3),  # the two parts
        ({}, "numbers", 1.3),  # one after the other, where the frame has columns
        ({"early_stopping": True}, "numbers", 2.3),
        ({}, "text", 2.4),  # what the scale is learned from, or its result
    ],
)
def test_fit_takes_no_more_copies_than_it_needs(options, kind, limit):
    X = RNG.normal(size=(16000, 50))
    y = (X[:, 0] > 0).astype(int)
    frame = pd.DataFrame(X.copy(), columns=[f"c{i}" for i in range(50)])
    frame["group"] = np.resize(GROUP, len(X))
    given = {"array": X, "numbers": frame.drop(columns="group"), "text": frame}[kind]
    model = DeepMLPClassifier((4,), max_iter=1, random_state=0, **options)
    model.fit(given[:50], y[:50])  # modules and tables that are loaded once
    tracemalloc.start()
    try:
        model.fit(given, y)
        assert tracemalloc.get_traced_memory()[1] < limit * X.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "estimator",
    [
        DeepMLPClassifier(),
        DeepMLPClassifier(solver="lbfgs"),
        DeepMLPClassifier(early_stopping=True, dropout=0.1, callbacks=[print]),
        TabularMLPClassifier(n_members=2),
        AutoencoderTransformer(2),
    ],
    ids=lambda estimator: str(estimator)[:40],
)
def test_a_fit_leaves_nothing_for_the_garbage_collector(estimator):
    X, y = RNG.normal(size=(N, 3)), np.arange(N) % 2
    gc.disable()
    try:
        net = weakref.ref(estimator.set_params(max_iter=3).fit(X, y).net_)
        module = weakref.ref(estimator.module_)
        estimator.fit(X, y)  # another net takes the place of the first
        assert net() is None
        assert module() is None
    finally:
        gc.enable()
