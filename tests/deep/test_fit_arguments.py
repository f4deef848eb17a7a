"""What is refused in the arguments of fit, and in what words."""

import numpy as np
import pytest

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPClassifier,
)

X = np.random.RandomState(0).normal(size=(40, 3))
Y = np.arange(40) % 2


@pytest.mark.parametrize("cls", [DeepMLPClassifier, TabularMLPClassifier, SequenceCNNClassifier])
@pytest.mark.parametrize(
    ("argument", "advice"),
    [
        ("eval_set", r"Write fit\(X, y, X_val=\.\.\., y_val=\.\.\.\)\."),
        ("validation_split", r"\(early_stopping=True, validation_fraction=\.\.\.\)\."),
        ("max_iter", r"It is a parameter of the estimator: write \w+\(max_iter=\.\.\.\)\."),
        ("lr", r"It is a parameter of the estimator: write \w+\(learning_rate_init=\.\.\.\)\."),
        ("batchsize", r"estimator: write \w+\(batch_size=\.\.\.\)\."),
        ("sample_weights", r"Write 'sample_weight' for 'sample_weights'\."),
        ("weights", r"Write fit\(X, y, sample_weight=\.\.\.\)\."),
        ("X_valid", r"Write 'X_val' for 'X_valid'\."),
        ("nonsense", r"fit\(\) got an unexpected keyword argument 'nonsense'\.$"),
    ],
)
def test_fit_says_what_to_write_for_an_argument_that_it_does_not_have(cls, argument, advice):
    with pytest.raises(TypeError, match=advice):
        cls().fit(X, Y, **{argument: 1})


@pytest.mark.parametrize("cls", [DeepMLPRegressor, TabularMLPClassifier, SequenceCNNClassifier])
@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: {"a": X[:, 0], "b": X[:, 1]}, r"got dict, a mapping of columns\. Give pandas"),
        (lambda: [{"a": 1.0}, {"a": 2.0}], r"got list, samples as mappings\. Give pandas\.Data"),
        (lambda: iter(X), r"an iterator, which can be read only once\. Give list\(X\); or, to"),
        (lambda: (row for row in X), r"got generator, an iterator"),
        (lambda: np.zeros(2, "f8,i4"), r"array with the fields \['f0', 'f1'\]\. Give pandas\."),
        (lambda: {1.0, 2.0}, r"got set, a set, whose samples have no order\. Give a list"),
    ],
)
def test_an_x_that_holds_no_samples_is_named(cls, make, advice):
    with pytest.raises(TypeError, match=advice):
        cls(max_iter=2).fit(make(), Y)


def test_a_tuple_of_samples_is_a_list_of_them():
    model = DeepMLPClassifier((4,), max_iter=2, random_state=0)
    expected = model.fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(tuple(map(tuple, X)), Y).predict_proba(X), expected)


@pytest.mark.parametrize(("n_samples", "rarest"), [(12, 1), (4, 2)])
def test_too_few_samples_of_two_classes_cannot_be_held_out(n_samples, rarest):
    y = np.arange(n_samples) < rarest
    words = rf"validation_fraction=0\.1 of {n_samples} samples, of which {rarest} are of the rarest"
    with pytest.raises(ValueError, match=words):
        DeepMLPClassifier(early_stopping=True).fit(X[:n_samples], y)


@pytest.mark.parametrize("cls", [DeepMLPClassifier, TabularMLPClassifier])
def test_images_are_answered_by_the_shape_of_a_table(cls):
    with pytest.raises(
        ValueError, match=r"\(40, 3, 1\)\. Give X\.reshape\(len\(X\), -1\), in which"
    ):
        cls(max_iter=2).fit(X[:, :, None], Y)
