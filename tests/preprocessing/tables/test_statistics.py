"""Means of y beside categories: as TargetEncoder's, out of fold in training, in all containers."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import TargetEncoder

from sknn import AutoencoderTransformer, DeepMLPClassifier, DeepMLPRegressor
from sknn import TabularMLPClassifier as TabularClassifier
from sknn import TabularMLPRegressor as TabularRegressor
from sknn.export import export_onnx
from sknn.preprocessing import TabularEncoder

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, N_LEVELS = 600, 40


def make_shops(seed=0):
    """Return shops of different effect, an input that matters, and y."""
    rng = np.random.default_rng(seed)
    effects = np.random.default_rng(7).normal(size=N_LEVELS)
    shop, size = rng.integers(0, N_LEVELS, N), rng.normal(size=N)
    X = pd.DataFrame({"shop": [f"s{i}" for i in shop], "size": size, "few": shop % 3 == 0})
    return X, effects[shop] + size + 0.3 * rng.normal(size=N)


X, Y = make_shops()


def encode(X, y, **params):
    encoder = TabularEncoder(target_encoding=9, dtype="float64", **params)
    trained = encoder.fit_transform(X, y)
    column = list(encoder.get_feature_names_out()).index("shop_target")
    return encoder, trained[:, column], encoder.transform(X)[:, column]


def find_smoothing(codes, y):
    """Return m of the empirical Bayes estimate: variance within levels over that between them."""
    groups = [y[codes == code] for code in np.unique(codes)]
    noise = sum(((g - g.mean()) ** 2).sum() for g in groups) / (len(y) - len(groups))
    return noise / (y.var() - noise)


def test_all_samples_give_what_scikit_learns_target_encoder_does():
    codes = X[["shop"]].to_numpy(dtype=object)
    peer = TargetEncoder(smooth=find_smoothing(codes[:, 0], Y), target_type="continuous")
    assert_allclose(encode(X, Y)[2], peer.fit(codes, Y).transform(codes)[:, 0])


def test_training_samples_get_the_means_of_others():
    encoder, trained, later = encode(X, Y)
    assert np.abs(trained - later).max() > 0.01
    changed = Y.copy()
    changed[0] += 100  # its own y cannot be read from the mean beside a sample
    own = encoder.encode_training(X, changed)[:, 2]
    assert_allclose(own[0], trained[0])
    assert_allclose(encoder.encode_training(X, Y)[:, 2], trained)


def test_levels_that_occur_once_tell_nothing():
    alone = pd.DataFrame({"shop": [f"s{i}" for i in range(N)], "size": X["size"]})
    _, trained, later = encode(alone, Y, text_features=None)
    assert np.abs(np.corrcoef(trained, Y)[0, 1]) < 0.2
    assert_allclose(later, Y.mean())


def test_unknown_and_missing_levels_get_means_too():
    with_gaps = X.assign(shop=X["shop"].where(X["shop"] != "s3"))
    encoder, _, later = encode(with_gaps, Y)
    assert_allclose(later[with_gaps["shop"].isna()], encode(X, Y)[2][X["shop"] == "s3"])
    new = encoder.transform(pd.DataFrame({"shop": ["other"], "size": [0.0], "few": [True]}))
    assert_allclose(new[0, list(encoder.get_feature_names_out()).index("shop_target")], Y.mean())


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (Y > 0, ["shop_target"]),
        (np.where(Y > 0, "yes", "no"), ["shop_target"]),
        (np.digitize(Y, [-1, 1]), ["shop_target_0", "shop_target_1", "shop_target_2"]),
        (np.column_stack([Y, -Y]), ["shop_target_0", "shop_target_1"]),
    ],
    ids=["bool", "text", "three classes", "two outputs"],
)
def test_classes_and_outputs_have_columns_of_their_own(y, names):
    encoder = TabularEncoder(target_encoding=9, dtype="float64").fit(X, y)
    assert [name for name in encoder.get_feature_names_out() if "target" in name] == names
    found = encoder.transform(X)[:, 2 : 2 + len(names)]
    assert all(len(np.unique(column)) > N_LEVELS / 2 for column in found.T)
    sources = encoder.column_sources()[2 : 2 + len(names)]
    assert_array_equal(sources, np.zeros(len(names)))


def test_few_levels_have_no_means():
    assert not TabularEncoder(target_encoding=N_LEVELS).fit(X).uses_y
    assert TabularEncoder(target_encoding=N_LEVELS - 1).fit(X, Y).uses_y


def test_a_weight_of_two_is_a_sample_given_twice_and_of_zero_none():
    weight = np.arange(N) % 3
    twice = np.repeat(np.arange(N), weight)
    weighted = TabularEncoder(target_encoding=9, dtype="float64").fit(X, Y, weight)
    repeated = TabularEncoder(target_encoding=9, dtype="float64").fit(X.iloc[twice], Y[twice])
    assert_allclose(weighted.transform(X)[:, 2], repeated.transform(X)[:, 2], rtol=1e-10)
    trained = TabularEncoder(target_encoding=9, dtype="float64").fit_transform(X, Y, weight)
    left_out = weight == 0
    assert_allclose(trained[left_out, 2], weighted.transform(X)[left_out, 2])


def test_y_that_is_constant_or_of_one_sample_has_one_mean():
    assert_allclose(encode(X, np.full(N, 2.5))[1], 2.5)
    one = TabularEncoder(target_encoding=0, dtype="float64").fit_transform(X[:1], [3.5])
    assert_allclose(one[0, 2], 3.5)


def test_polars_gives_what_pandas_does():
    assert_allclose(encode(pl.from_pandas(X), Y)[1], encode(X, Y)[1])


def test_without_y_the_column_is_named():
    with pytest.raises(ValueError, match=r"target_encoding=9 needs y, .* of column 'shop'. Give y"):
        TabularEncoder(target_encoding=9).fit(X)


ESTIMATORS = {
    "mlp": (DeepMLPRegressor, {"max_iter": 30, "scale": "standard", "random_state": 0}, Y),
    "mlp of classes": (
        DeepMLPClassifier,
        {"max_iter": 30, "scale": "standard", "random_state": 0},
        np.digitize(Y, [-1, 1]),
    ),
    "tabular": (TabularRegressor, {"n_members": 2, "max_iter": 10, "random_state": 0}, Y),
    "tabular of classes": (
        TabularClassifier,
        {"n_members": 2, "max_iter": 10, "random_state": 0},
        np.where(Y > 0, "yes", "no"),
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_networks_learn_from_means_and_files_keep_them(name):
    kind, params, y = ESTIMATORS[name]
    model = kind(target_encoding=9, **params).fit(X, y)
    assert model._encoder.uses_y
    expected = model.predict(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    skops = pytest.importorskip("skops.io")
    from sknn.persistence import trusted_types

    again = skops.loads(skops.dumps(model), trusted=trusted_types())
    assert_array_equal(again.predict(X), expected)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_onnx_has_the_means(name):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    kind, params, y = ESTIMATORS[name]
    model = kind(target_encoding=9, **params).fit(X, y)
    session = runtime.InferenceSession(export_onnx(model).SerializeToString())
    inputs = {
        "shop": X[["shop"]].to_numpy(dtype=object),
        "size": X[["size"]].to_numpy(),
        "few": X[["few"]].to_numpy(dtype=np.float64),
    }
    label, *_ = session.run(None, inputs)
    if y is Y:
        assert_allclose(label[:, 0], model.predict(X), rtol=1e-4, atol=1e-4)
    else:
        assert_array_equal(label, model.predict(X))


def test_held_out_samples_get_the_means_of_training_samples():
    later, later_y = make_shops(1)
    with_val = DeepMLPRegressor(target_encoding=9, max_iter=3, random_state=0)
    with_val.fit(X, Y, X_val=later, y_val=later_y)
    scored = with_val.score(later, later_y)
    assert_allclose(with_val.validation_scores_[-1], scored, rtol=1e-6)


def test_a_continued_fit_sees_means_of_other_samples_too():
    params = {"target_encoding": 9, "warm_start": True, "random_state": 0, "solver": "sgd"}
    twice = DeepMLPRegressor(max_iter=1, learning_rate_init=1e-30, **params).fit(X, Y)
    first = twice.loss_
    assert_allclose(twice.fit(X, Y).loss_, first)
    with pytest.raises(ValueError, match="target_encoding was 9 and is 5 now"):
        twice.set_params(target_encoding=5).fit(X, Y)


def test_parts_of_samples_are_refused_by_name():
    model = DeepMLPRegressor(target_encoding=9)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as caught:
        model.partial_fit(X, Y)
    assert "target_encoding=9 takes the means of y over all samples" in str(caught.value.__cause__)


def test_an_autoencoder_without_y_is_refused():
    model = DeepMLPRegressor(target_encoding=9, pretrained=AutoencoderTransformer(2, (100,)))
    with pytest.raises(ValueError, match=r"target_encoding=9 needs an encoder that knows y"):
        model.fit(X, Y)


@pytest.mark.parametrize("value", [-1, 2.5, "auto"])
def test_the_number_of_levels_is_checked(value):
    with pytest.raises(ValueError, match="'target_encoding' parameter"):
        TabularEncoder(target_encoding=value).fit(X, Y)
