"""Networks whose filters come from sequences without labels, or from another network."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from sknn import DeepMLPClassifier, SequenceCNNClassifier, SequenceCNNRegressor
from sknn.architectures import MaskedSequences, SequenceCNN, SequenceOptions
from sknn.model_selection import BatchedGridSearchCV

SITE = "TGACTCA"
PARAMS = {"n_filters": 8, "kernel_size": 7, "max_iter": 2, "random_state": 0}


def draw_sequences(n_samples, seed=0, length=40):
    """Return random sequences, half of which hold a site, and which do."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("ACGT"), (n_samples, length))
    y = np.arange(n_samples) % 2
    for i in np.flatnonzero(y):
        start = rng.integers(length - len(SITE))
        letters[i, start : start + len(SITE)] = list(SITE)
    return ["".join(row) for row in letters], y


X, Y = draw_sequences(200)


@pytest.fixture(scope="module")
def fitted():
    return SequenceCNNClassifier(**PARAMS).fit(X, Y)


def untrained(**params):
    """Return a classifier whose weights after fit are those that it began with."""
    still = {"solver": "sgd", "learning_rate_init": 1e-30, "alpha": 0.0, "momentum": 0.0}
    return SequenceCNNClassifier(**{**PARAMS, **still, "max_iter": 1, **params})


def filters_of(model):
    return model.module_.bank.weight.detach().numpy()


def test_filters_of_hidden_letters_find_a_site_with_few_labels():
    rest, _ = draw_sequences(600, seed=1)
    unseen, truth = draw_sequences(400, seed=2)
    params = {"n_filters": 16, "kernel_size": 9, "max_iter": 30, "random_state": 0}
    alone = SequenceCNNClassifier(**params).fit(X[:40], Y[:40])
    taught = SequenceCNNClassifier(pretrained="masked", **params)
    taught.fit(X[:40], Y[:40], X_unlabelled=rest)
    assert taught.score(unseen, truth) > alone.score(unseen, truth) + 0.1


@pytest.mark.parametrize("kind", [SequenceCNNClassifier, SequenceCNNRegressor])
def test_a_network_begins_with_the_filters_of_a_fitted_one(kind, fitted):
    still = untrained(pretrained=fitted).get_params(deep=False)
    model = kind(
        **{k: v for k, v in still.items() if k in kind().get_params()} | {"loss": kind().loss}
    )
    model.fit(X[:50], Y[:50])
    assert_array_equal(filters_of(model), filters_of(fitted))
    assert_array_equal(model.module_.bank.bias.detach(), fitted.module_.bank.bias.detach())
    assert clone(model).pretrained is fitted


def test_filters_learn_from_samples_without_labels():
    model = untrained(pretrained="masked")
    first = filters_of(untrained().fit(X[:50], Y[:50]))
    own = filters_of(clone(model).fit(X[:50], Y[:50]))
    more = filters_of(clone(model).fit(X[:50], Y[:50], X_unlabelled=X[50:64]))
    assert (own != first).any()
    assert (more != own).any()
    assert_array_equal(more, filters_of(clone(model).fit(X[:50], Y[:50], X_unlabelled=X[50:64])))
    weight = np.arange(100) < 50  # samples of weight 0 are left out
    assert_array_equal(own, filters_of(clone(model).fit(X[:100], Y[:100], weight.astype(float))))


def encode(sequences):
    return np.eye(4, dtype=np.float32)[[["ACGT".index(s) for s in text] for text in sequences]]


CONTAINERS = {
    "list": list,
    "Series": pd.Series,
    "frame": lambda texts: pd.DataFrame({"dna": texts}),
    "encoded": encode,
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_samples_without_labels_come_in_the_same_container(name):
    wrap = CONTAINERS[name]
    model = untrained(pretrained="masked").fit(wrap(X[:60]), Y[:60], X_unlabelled=wrap(X[60:64]))
    expected = untrained(pretrained="masked").fit(X[:60], Y[:60], X_unlabelled=X[60:64])
    assert_allclose(filters_of(model), filters_of(expected), rtol=1e-6)
    assert model.predict(wrap(X)).shape == (200,)


def test_longer_sequences_without_labels_are_read_whole():
    longer, _ = draw_sequences(50, length=60)
    model = SequenceCNNClassifier(pretrained="masked", **PARAMS)
    model.fit(X[:60], Y[:60], X_unlabelled=longer)
    assert model.module_.length == 60
    assert model.predict(longer).shape == (50,)


def test_a_batched_search_pretrains_as_a_search_does():
    model = SequenceCNNClassifier(pretrained="masked", **PARAMS)
    searches = [
        kind(model, {"alpha": [1e-4, 1.0]}, cv=2).fit(X[:40], Y[:40], X_unlabelled=X[40:60])
        for kind in (GridSearchCV, BatchedGridSearchCV)
    ]
    assert_allclose(*(filters_of(s.best_estimator_) for s in searches), rtol=1e-5, atol=1e-7)


def test_later_fits_go_on_without_pretraining():
    few = X[:60], Y[:60]
    model = SequenceCNNClassifier(pretrained="masked", warm_start=True, **PARAMS).fit(*few)
    assert model.fit(*few).t_ == 4 * 60
    model.set_params(pretrained=None)
    with pytest.raises(ValueError, match="pretrained was 'masked' and is None now"):
        model.partial_fit(*few)
    begun = SequenceCNNClassifier(pretrained="masked", **PARAMS)
    assert begun.partial_fit(*few, classes=[0, 1]).predict(X).shape == (200,)


def test_a_file_keeps_the_model(fitted):
    model = SequenceCNNClassifier(pretrained=fitted, **PARAMS).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def make_refused():
    mlp = DeepMLPClassifier(max_iter=1).fit(*(part[:50] for part in load_digits(return_X_y=True)))
    known = SequenceCNNClassifier(**PARAMS).fit(X, Y)
    unseen = SequenceCNNClassifier()
    return {
        "not fitted": (NotFittedError, {"pretrained": unseen}, {}, "is not fitted. Fit it first"),
        "another network": (TypeError, {"pretrained": mlp}, {}, "must be a fitted SequenceCNNClas"),
        "nothing to learn": (ValueError, {}, {"X_unlabelled": X}, "Set pretrained='masked'"),
        "nothing left": (
            ValueError,
            {"pretrained": known},
            {"X_unlabelled": X},
            "but pretrained is a fitted estimator. Leave X_unlabelled out",
        ),
        "other filters": (
            ValueError,
            {"pretrained": known, "n_filters": 9},
            {},
            r"has 8 filters of 7 positions of 4 \(ACGT\), but this network is to have 9 filters",
        ),
        "other letters": (
            ValueError,
            {"pretrained": known, "alphabet": "TGCA"},
            {},
            r"has 8 filters .*\(ACGT\), but .* 4 \(TGCA\). Set the same n_filters, kernel_size and",
        ),
        "other kind": (
            ValueError,
            {"pretrained": "masked"},
            {"X_unlabelled": encode(X)},
            "X holds strings, but X_unlabelled holds numbers. Give both in the same form",
        ),
    }


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_cannot_begin_so_is_refused():
    for error, params, given, message in make_refused().values():
        model = SequenceCNNClassifier(**{**PARAMS, **params})
        with pytest.raises(error, match=message):
            model.fit(X, Y, **given)
        assert not hasattr(model, "net_")


@pytest.mark.parametrize("both", [False, True])
def test_hidden_positions_are_predicted_from_the_others(both):
    options = SequenceOptions(n_filters=6, kernel_size=5, reverse_complement=both)
    network = SequenceCNN(20, 4, 1, options)
    network.initialize_weights(np.random.RandomState(0))
    masked = MaskedSequences(network)
    masked.initialize_weights(np.random.RandomState(0))
    samples = torch.from_numpy(encode(X[:64])[:, :20]).flatten(1)
    found = masked(samples).detach().reshape(64, 20, 4)
    is_hidden = (found != samples.reshape(64, 20, 4)).any(2)
    assert 0.1 < is_hidden.float().mean() < 0.2
    # what is predicted does not depend on what was hidden
    other = samples.reshape(64, 20, 4).clone()
    other[is_hidden] = other[is_hidden].flip(1)
    masked.initialize_weights(np.random.RandomState(0))  # the same positions are hidden
    again = masked(other.flatten(1)).detach().reshape(64, 20, 4)
    assert_array_equal(again[is_hidden], found[is_hidden])
    assert_array_equal(masked.eval()(samples), samples)
    if both:  # the other strand says the same of the other strand
        masked.levels.data.zero_()
        batch = samples.reshape(64, 20, 4)
        turned = masked.predict(batch.flip(1, 2)).flip(1, 2)
        assert_allclose(turned.detach(), masked.predict(batch).detach(), atol=1e-5)
