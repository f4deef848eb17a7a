"""A classifier that labels samples without labels, beside the same steps written out."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    SequenceCNNClassifier,
    TabularMLPClassifier,
)
from sknn.semi_supervised import PseudoLabelClassifier
from sknn.semi_supervised._choice import (
    _compute_losses,
    assign_folds,
    choose_spread,
    list_candidates,
)
from sknn.semi_supervised._fits import choose_surest
from sknn.semi_supervised._neighbors import Spread, connect_neighbors, spread_probabilities

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X / 16, Y
FEW, OTHERS, TEST = slice(0, 60), slice(60, 500), slice(1000, None)
LOGISTIC = LogisticRegression(max_iter=300)
WEIGHT = np.random.default_rng(0).uniform(1, 3, 60)


def stack_soft(proba, weight=None):
    """Return X, y and weights in which each sample without label has each of its classes."""
    weight = np.ones(60) if weight is None else weight
    samples, classes = np.nonzero(proba >= 1e-3)
    labels = np.concatenate([Y[FEW], classes])
    weights = np.concatenate([weight, weight.mean() * proba[samples, classes]])
    return np.vstack([X[FEW], X[OTHERS][samples]]), labels, weights


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_soft_labels_are_classes_weighted_by_the_mean_of_teachers(weight):
    teachers = [LOGISTIC, clone(LOGISTIC).set_params(C=0.01)]
    model = PseudoLabelClassifier(LOGISTIC, teachers=teachers, n_neighbors=0, random_state=0)
    model.fit(X[FEW], Y[FEW], weight, X_unlabelled=X[OTHERS])
    fitted = [clone(teacher).fit(X[FEW], Y[FEW], weight) for teacher in teachers]
    proba = np.mean([teacher.predict_proba(X[OTHERS]) for teacher in fitted], axis=0)
    expected = clone(LOGISTIC).fit(*stack_soft(proba, weight))
    assert_allclose(model.predict_proba(X[TEST]), expected.predict_proba(X[TEST]), atol=1e-6)
    assert_array_equal(model.pseudo_labels_, proba.argmax(axis=1))
    assert_allclose(model.decision_function(X), expected.decision_function(X), atol=1e-4)


def test_rounds_begin_with_the_surest_labels_and_end_with_all():
    model = PseudoLabelClassifier(
        LOGISTIC, n_rounds=3, first_share=0.5, soft=False, n_neighbors=0, random_state=0
    )
    model.fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    expected = clone(LOGISTIC).fit(X[FEW], Y[FEW])
    for share in (0.5, 0.75, 1.0):
        proba = expected.predict_proba(X[OTHERS])
        chosen = choose_surest(proba, share)
        labels = np.concatenate([Y[FEW], proba[chosen].argmax(axis=1)])
        expected = clone(LOGISTIC).fit(np.vstack([X[FEW], X[OTHERS][chosen]]), labels)
    assert_array_equal(model.predict_proba(X[TEST]), expected.predict_proba(X[TEST]))


def test_the_surest_of_each_class_are_chosen():
    proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.45, 0.55], [0.1, 0.9]])
    assert_array_equal(choose_surest(proba, 0.5), [0, 2, 4])  # 2 of 3, and 1 of 2
    assert_array_equal(choose_surest(proba, 1.0), np.arange(5))


@pytest.mark.parametrize("teacher_weight", [1.0, 0.1, 0.0])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_probabilities_are_those_of_label_spreading_in_the_limit(share, teacher_weight):
    rng = np.random.default_rng(0)
    weights = connect_neighbors(rng.normal(size=(40, 3)), 4)
    assert_allclose(weights.sum(axis=1), 1)
    assert ((weights > 0) != (weights > 0).T).nnz == 0
    proba, codes = rng.dirichlet(np.ones(3), 40), np.full(40, -1)
    codes[:6] = [0, 1, 2, 0, 1, 2]
    start = np.where(codes[:, None] >= 0, np.eye(3)[codes], teacher_weight * proba)
    limit = np.linalg.solve(np.eye(40) - share * weights.toarray(), start)
    limit /= limit.sum(axis=1, keepdims=True)
    smooth = spread_probabilities(weights, proba, codes, Spread(share, teacher_weight))
    assert_allclose(smooth, limit, atol=5e-3)


def test_samples_far_from_all_labels_keep_what_teachers_say():
    line = np.concatenate([np.linspace(0, 1, 20), np.linspace(5, 6, 20)])[:, None]
    proba, codes = np.tile([0.3, 0.7], (40, 1)), np.full(40, -1)
    codes[3] = 0
    smooth = spread_probabilities(connect_neighbors(line, 3), proba, codes, Spread(0.9, 0.0))
    assert_array_equal(smooth[:20], np.tile([1.0, 0.0], (20, 1)))
    assert_array_equal(smooth[20:], proba[20:])


def test_neighbors_correct_a_label_among_others():
    line = np.concatenate([np.linspace(0, 1, 20), np.linspace(5, 6, 20)])[:, None]
    proba = np.repeat([[0.9, 0.1], [0.1, 0.9]], 20, axis=0)
    proba[7] = [0.3, 0.7]
    codes = np.full(40, -1)
    smooth = spread_probabilities(connect_neighbors(line, 5), proba, codes, Spread(0.5, 1.0))
    assert_array_equal(smooth.argmax(axis=1), np.repeat([0, 1], 20))


def test_folds_leave_each_class_a_label():
    codes = np.array([0] * 7 + [1] * 2 + [2] + [-1] * 5)
    folds = assign_folds(codes, np.random.RandomState(0))
    assert_array_equal(np.flatnonzero(folds < 0), range(9, 15))
    for fold in range(5):
        assert set(codes[(folds != fold) & (codes >= 0)]) == {0, 1, 2}


def choose(proba, codes, share="auto", *, by_log_loss=False):
    """Return what is chosen for two groups on a line, by teachers that say `proba` of all."""
    line = np.concatenate([np.linspace(0, 1, 30), np.linspace(5, 6, 30)])[:, None]
    mixed = np.random.default_rng(0).permutation(line)
    graphs = [connect_neighbors(Z, 3) for Z in (mixed, line)]
    candidates, random_state = list_candidates(graphs, share, "auto"), np.random.RandomState(0)
    neighbors, spread = choose_spread(
        candidates, codes, np.ones(60), lambda known: proba, random_state, by_log_loss=by_log_loss
    )
    return neighbors is graphs[1], spread


CODES = np.full(60, -1)
CODES[[1, 11, 21, 31, 41, 51]] = [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("by_log_loss", [False, True])
def test_labels_alone_spread_where_teachers_are_wrong_and_nothing_where_they_are_right(by_log_loss):
    right = np.repeat([[1.0, 0.0], [0.0, 1.0]], 30, axis=0)
    assert choose(right, CODES, by_log_loss=by_log_loss) == (False, Spread(0.0, 1.0))
    by_line, spread = choose(1 - right, CODES, by_log_loss=by_log_loss)
    assert by_line
    assert spread.teacher_weight == 0


def test_neighbours_must_be_ahead_by_a_standard_error():
    # Neighbours mend one of six labels that teachers give: a gain as large as its standard error.
    proba = np.repeat([[1.0, 0.0], [0.0, 1.0]], 30, axis=0)
    proba[1] = [0.0, 1.0]
    assert choose(proba, CODES) == (False, Spread(0.0, 1.0))
    proba[[11, 21]] = [0.0, 1.0]
    assert choose(proba, CODES)[1].share > 0


def test_a_certain_mistake_costs_probabilities_more_than_classes():
    found = [_compute_losses(np.array([[0.0, 1.0]]), np.eye(2)[[0]], by_log_loss=b) for b in (0, 1)]
    assert_allclose(found, [[2.0], [-np.log(1e-3)]])


def test_one_label_of_each_class_cannot_choose():
    few = np.full(60, -1)
    few[[1, 31]] = [0, 1]
    assert choose(np.full((60, 2), 0.5), few) == (False, Spread(0.8, 0.1))
    assert choose(np.full((60, 2), 0.5), few, 0.3) == (False, Spread(0.3, 0.1))


def test_what_is_given_is_taken():
    model = PseudoLabelClassifier(LOGISTIC, neighbor_share=0.6, teacher_weight=0.2, random_state=0)
    model.fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    assert (model.neighbor_share_, model.teacher_weight_) == (0.6, 0.2)
    model.set_params(n_neighbors=0).fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    assert not hasattr(model, "neighbor_share_")


MARKED = np.where(np.arange(500) < 60, Y[:500], -1)


@pytest.mark.parametrize("name", ["numbers", "floats", "texts", "list of texts", "series"])
def test_minus_one_marks_samples_without_labels(name):
    words = np.array([f"digit {i}" for i in range(10)])
    texts = np.array([words[i] if i >= 0 else -1 for i in MARKED], dtype=object)
    y = {
        "numbers": MARKED,
        "floats": MARKED.astype(float),
        "texts": texts,
        "list of texts": texts.tolist(),
        "series": pd.Series(texts, index=np.arange(500)[::-1]),
    }[name]
    order = np.random.default_rng(0).permutation(500)
    y = y.iloc[order] if name == "series" else [y[i] for i in order] if "list" in name else y[order]
    model = PseudoLabelClassifier(LOGISTIC, random_state=0).fit(X[order], y)
    known = order[order < 60]
    truth = words[Y] if "text" in name or name == "series" else Y
    expected = clone(model).fit(X[known], truth[known], X_unlabelled=X[order[order >= 60]])
    assert_allclose(model.predict_proba(X[TEST]), expected.predict_proba(X[TEST]), atol=1e-8)
    assert_array_equal(model.pseudo_labels_, expected.pseudo_labels_)
    assert_array_equal(model.transduction_[order < 60], truth[known])
    assert_array_equal(model.transduction_[order >= 60], model.pseudo_labels_)


def test_marks_and_others_count_together_and_marks_keep_their_weights():
    weight = np.random.default_rng(0).uniform(1, 3, 500)
    model = PseudoLabelClassifier(LOGISTIC, n_neighbors=0).fit(
        X[:300], MARKED[:300], weight[:300], X_unlabelled=X[300:500]
    )
    weight[300:] = weight[:60].mean()
    proba = clone(LOGISTIC).fit(X[FEW], Y[FEW], weight[FEW]).predict_proba(X[60:500])
    samples, classes = np.nonzero(proba >= 1e-3)
    expected = clone(LOGISTIC).fit(
        np.vstack([X[FEW], X[60:500][samples]]),
        np.concatenate([Y[FEW], classes]),
        np.concatenate([weight[FEW], weight[60:][samples] * proba[samples, classes]]),
    )
    assert_allclose(model.predict_proba(X[TEST]), expected.predict_proba(X[TEST]), atol=1e-6)
    assert len(model.pseudo_labels_) == 440
    assert len(model.transduction_) == 300


def test_minus_one_beside_one_class_is_a_class():
    y = np.where(Y[FEW] > 4, 1, -1)
    model = PseudoLabelClassifier(LOGISTIC, random_state=0).fit(X[FEW], y, X_unlabelled=X[OTHERS])
    assert_array_equal(model.classes_, [-1, 1])
    assert model.score(X[TEST], np.where(Y[TEST] > 4, 1, -1)) > 0.7


def test_scores_leave_samples_without_labels_out():
    model = PseudoLabelClassifier(LOGISTIC, random_state=0).fit(X[:500], MARKED)
    assert model.score(X[:500], MARKED) == model.score(X[FEW], Y[FEW])
    weight = np.arange(500.0)
    assert model.score(X[:500], MARKED, weight) == model.score(X[FEW], Y[FEW], weight[FEW])
    search = GridSearchCV(model, {"estimator__C": [1e-6, 1.0]}, cv=3).fit(X[:500], MARKED)
    assert search.best_params_ == {"estimator__C": 1.0}
    assert search.best_score_ > 0.7


def test_a_scaler_in_front_scales_samples_that_are_marked():
    pipeline = make_pipeline(StandardScaler(), PseudoLabelClassifier(LOGISTIC, random_state=0))
    found = pipeline.fit(X[:500], MARKED).predict_proba(X[TEST])
    scaler = StandardScaler().fit(X[:500])
    expected = clone(pipeline[-1]).fit(scaler.transform(X[:500]), MARKED)
    assert_array_equal(found, expected.predict_proba(scaler.transform(X[TEST])))


def test_it_is_better_than_few_labels_alone():
    network = DeepMLPClassifier((64,), n_iter_no_change=200, random_state=0)
    alone = clone(network).fit(X[FEW], Y[FEW]).score(X[TEST], Y[TEST])
    model = PseudoLabelClassifier(network, round_params={"max_iter": 40}, random_state=0)
    model.fit(X[FEW], Y[FEW], X_unlabelled=X[60:1000])
    assert 1 - model.score(X[TEST], Y[TEST]) < 0.9 * (1 - alone)
    assert model.estimator_.max_iter == 40


def test_without_others_the_estimator_is_fitted_once():
    network = DeepMLPClassifier((8,), max_iter=3)
    model = PseudoLabelClassifier(network, random_state=4).fit(X[FEW], Y[FEW], WEIGHT)
    seed = np.random.RandomState(4).randint(np.iinfo(np.int32).max)
    alone = clone(network).set_params(random_state=seed).fit(X[FEW], Y[FEW], WEIGHT)
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
    assert not hasattr(model, "pseudo_labels_")


def test_an_autoencoder_is_fitted_once_on_all_samples():
    autoencoder = AutoencoderTransformer(8, (16,), max_iter=3, random_state=0)
    begun = DeepMLPClassifier((16, 8), pretrained=autoencoder, max_iter=3)
    model = PseudoLabelClassifier(begun, teachers=[begun, clone(begun)], random_state=0)
    model.fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    known = model.estimator_.pretrained
    assert_array_equal(known.coefs_[0], clone(autoencoder).fit(X[:500]).coefs_[0])
    assert not hasattr(autoencoder, "net_")


def test_the_random_state_draws_all_seeds():
    network = DeepMLPClassifier((8,), pretrained=AutoencoderTransformer(4, (8,)), max_iter=2)
    models = [
        PseudoLabelClassifier(network, teachers=[network] * 2, random_state=seed).fit(
            X[FEW], Y[FEW], X_unlabelled=X[OTHERS]
        )
        for seed in (0, 0, 1)
    ]
    first, again, other = (model.predict_proba(X[TEST]) for model in models)
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


CONTAINERS = {
    "pandas": pd.DataFrame,
    "polars": lambda rows: pl.DataFrame(rows, schema=[f"x{i}" for i in range(64)]),
    "sparse": sparse.csr_matrix,
    "sparse by coordinates": sparse.coo_array,
    "list": lambda rows: rows.tolist(),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_samples_come_in_any_container(name):
    make = CONTAINERS[name]
    network = DeepMLPClassifier((8,), max_iter=3)
    model = PseudoLabelClassifier(network, n_neighbors=0, random_state=0)
    model.fit(make(X[FEW]), Y[FEW], X_unlabelled=make(X[OTHERS]))
    expected = clone(model).fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    assert_allclose(model.predict_proba(make(X)), expected.predict_proba(X), atol=1e-8)
    assert hasattr(model, "feature_names_in_") == (name == "polars")


def test_frames_with_categories_and_labels_of_text():
    frame = pd.DataFrame({"number": X[:200, 20], "kind": np.where(X[:200, 30] > 0.5, "a", "b")})
    y = np.where(Y[:200] > 4, "large", "small")
    for network in (
        DeepMLPClassifier((8,), max_iter=3),
        TabularMLPClassifier(n_members=2, max_iter=3),
    ):
        model = PseudoLabelClassifier(network, random_state=0)
        model.fit(frame[:60], y[:60], X_unlabelled=frame[60:])
        assert_array_equal(model.classes_, ["large", "small"])
        assert set(model.pseudo_labels_) <= {"large", "small"}
        assert list(model.feature_names_in_) == ["number", "kind"]


def test_sequences_learn_from_hidden_letters_first():
    rng = np.random.default_rng(0)
    dna = np.array(["".join(letters) for letters in rng.choice(list("ACGT"), (60, 12))])
    network = SequenceCNNClassifier(4, kernel_size=3, max_iter=2, pretrained="masked")
    model = PseudoLabelClassifier(network, random_state=0)
    model.fit(dna[:20], np.arange(20) % 2, X_unlabelled=dna[20:])
    assert model.predict_proba(dna).shape == (60, 2)


def test_a_search_gives_all_candidates_the_samples_without_labels():
    model = PseudoLabelClassifier(LOGISTIC, random_state=0)
    search = GridSearchCV(model, {"n_neighbors": [0, 5], "estimator__C": [1.0]}, cv=2)
    search.fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    assert len(search.best_estimator_.pseudo_labels_) == 440


def test_a_pipeline_is_a_classifier_with_hard_labels():
    pipeline = make_pipeline(StandardScaler(), GaussianNB(var_smoothing=0.1))
    model = PseudoLabelClassifier(pipeline, soft=False).fit(X[FEW], Y[FEW], X_unlabelled=X[OTHERS])
    assert not hasattr(model, "decision_function")
    assert model.score(X[TEST], Y[TEST]) > 0.5
    assert len(model.pseudo_labels_) == 440


REFUSALS = {
    "no probabilities": (
        PseudoLabelClassifier(LOGISTIC, teachers=[LinearSVC()]), {}, "has no predict_proba"
    ),
    "a class": (
        PseudoLabelClassifier(LOGISTIC, teachers=[GaussianNB]), {}, "got the class GaussianNB"
    ),
    "no weights": (PseudoLabelClassifier(KNeighborsClassifier()), {}, "Set soft=False"),
    "a source": (
        PseudoLabelClassifier(LOGISTIC), {"X_unlabelled": Path("x.csv")}, "source of them"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses_what_cannot_label(name):
    model, arguments, message = REFUSALS[name]
    with pytest.raises(TypeError, match=message):
        model.fit(X[FEW], Y[FEW], **{"X_unlabelled": X[OTHERS], **arguments})
    assert not hasattr(model, "estimator_")


BAD = {
    "several labels": ({}, {"y": np.eye(10)[Y[FEW]]}, "one class, but y is of shape"),
    "no teachers": ({"teachers": []}, {}, "teachers is empty"),
    "no samples": ({}, {"X_unlabelled": X[:0]}, "X_unlabelled holds no samples"),
    "other columns": ({}, {"X_unlabelled": X[OTHERS, :5]}, "Give the same columns"),
    "one round": ({"first_share": 0.5}, {}, "Raise n_rounds"),
    "share 0": ({"first_share": 0.0, "n_rounds": 2}, {}, "'first_share' parameter"),
    "a missing label": ({}, {"y": np.where(Y[FEW] > 8, np.nan, Y[FEW])}, "Write -1 where a sample"),
    "missing text": (
        {},
        {"y": np.where(Y[FEW] > 8, None, "a"), "X_unlabelled": None},
        "Write -1 where a sample",
    ),
    "text of pandas": (
        {},
        {"y": pd.Series(np.where(Y[FEW] > 8, "-1", "a"), dtype="string")},
        "the text '-1'",
    ),
    "two libraries": (
        {},
        {"X": pd.DataFrame(X[FEW]), "X_unlabelled": pl.DataFrame(X[OTHERS])},
        "of pandas, and the samples without labels are one of polars",
    ),
    "text that marks": ({}, {"y": np.where(Y[FEW] > 8, "-1", "a")}, "the text '-1'.*objects"),
    "no label": ({}, {"y": np.full(60, -1)}, "y holds no label: it is -1"),
    "all neighbours": ({"neighbor_share": 1.0}, {}, "'neighbor_share' parameter"),
    "other parameters": ({"round_params": {"epochs": 3}}, {}, "Invalid parameter 'epochs'"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_bad_values(name):
    params, arguments, message = BAD[name]
    model = PseudoLabelClassifier(LOGISTIC).fit(X[FEW], Y[FEW])
    before = model.estimator_
    with pytest.raises(ValueError, match=message):
        model.set_params(**params).fit(
            **{"X": X[FEW], "y": Y[FEW], "X_unlabelled": X[OTHERS], **arguments}
        )
    assert model.estimator_ is before


def test_neighbours_of_text_are_refused():
    words = make_pipeline(TfidfVectorizer(), LogisticRegression())
    model = PseudoLabelClassifier(words, soft=False)
    texts = np.array(["good film", "bad film", "good book", "bad book"])
    with pytest.raises(ValueError, match="Set n_neighbors=0"):
        model.fit(texts, [1, 0, 1, 0], X_unlabelled=texts)
    model.set_params(n_neighbors=0).fit(texts, [1, 0, 1, 0], X_unlabelled=texts)
    assert_array_equal(model.pseudo_labels_, [1, 0, 1, 0])


@pytest.mark.parametrize("name", ["base_estimator", "threshold", "max_iter", "n_round"])
def test_names_of_other_packages_are_explained(name):
    known = {"base_estimator": "estimator", "threshold": "first_share"}.get(name, "n_rounds")
    with pytest.raises(TypeError, match=known):
        PseudoLabelClassifier(**{name: 1})


def test_a_teacher_that_needs_more_labels_says_what_to_set():
    needy = CalibratedClassifierCV(GaussianNB(), cv=2, method="isotonic")
    model = PseudoLabelClassifier(needy, soft=False)
    few = np.concatenate([np.flatnonzero(label == Y)[:2] for label in range(10)])
    with pytest.raises(ValueError, match=r"a fifth of the labels is held out.*Set neighbor_share"):
        model.fit(X[few], Y[few], X_unlabelled=X[OTHERS])
    model.set_params(neighbor_share=0.8, teacher_weight=0.1)
    assert model.fit(X[few], Y[few], X_unlabelled=X[OTHERS]).neighbor_share_ == 0.8
