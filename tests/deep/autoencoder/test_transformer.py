"""The autoencoder as a transformer: its start, its kinds, its tables, and what it refuses."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sknn import AutoencoderTransformer, DeepMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS, LABELS = DIGITS[:300], LABELS[:300]
KINDS = ("plain", "denoising", "masked", "variational")


def make_frame(n_samples=300):
    """Return a table in which one column follows from another, with missing values."""
    rng = np.random.default_rng(0)
    number, level = rng.normal(size=n_samples), rng.choice(["x", "y", "z"], n_samples)
    frame = pd.DataFrame(
        {
            "number": number,
            "double": 1000 + 200 * number,
            "level": level,
            "same": pd.Categorical(np.where(level == "x", "p", "q")),
            "whole": pd.Categorical(np.where(level == "z", 3, 7)),
            "flag": level == "y",
        }
    )
    frame.loc[::9, "number"] = np.nan
    frame.loc[::7, "level"] = None
    return frame


def error_of(reconstructed, X):
    return np.mean((reconstructed - X) ** 2)


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "identity"])
@pytest.mark.parametrize("is_tied", [False, True])
@pytest.mark.parametrize("hidden", [(), (40,), (50, 30)])
def test_start_reconstructs_as_principal_components(hidden, is_tied, activation):
    if is_tied and activation == "tanh":
        pytest.skip("starts at random")
    pca = PCA(6).fit(DIGITS)
    expected = error_of(pca.inverse_transform(pca.transform(DIGITS)), DIGITS)
    options = {"scale": None, "learning_rate_init": 1e-12, "max_iter": 1, "random_state": 0}
    autoencoder = AutoencoderTransformer(
        6, hidden, activation=activation, tied_weights=is_tied, **options
    ).fit(DIGITS)
    tolerance = 2e-2 if activation == "tanh" else 1e-6
    assert error_of(autoencoder.reconstruct(DIGITS), DIGITS) == pytest.approx(expected, tolerance)


def test_one_sample_cannot_be_held_out():
    with pytest.raises(ValueError, match=r"of 1 samples\. Give validation samples \(X_val\)"):
        AutoencoderTransformer(early_stopping=True).fit(np.ones((1, 3)))


def test_early_stopping_keeps_a_start_that_no_epoch_improves():
    X = np.random.default_rng(0).normal(size=(200, 6))
    autoencoder = AutoencoderTransformer(
        3, learning_rate_init=1.0, early_stopping=True, max_iter=20, random_state=0
    ).fit(X)
    assert autoencoder.best_iter_ == 0
    Z = StandardScaler().fit_transform(X)
    pca = PCA(3).fit(Z)
    expected = error_of(pca.inverse_transform(pca.transform(Z)), Z)
    assert -autoencoder.score(X) == pytest.approx(expected, rel=0.02)


def test_training_goes_beyond_principal_components():
    pca = PCA(2).fit(DIGITS)
    autoencoder = AutoencoderTransformer(2, scale=None, random_state=0).fit(DIGITS)
    linear = error_of(pca.inverse_transform(pca.transform(DIGITS)), DIGITS)
    assert error_of(autoencoder.reconstruct(DIGITS), DIGITS) < 0.85 * linear


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gives_equal_results_for_equal_seeds(kind):
    one, other = (
        AutoencoderTransformer(3, kind=kind, max_iter=5, random_state=1).fit(DIGITS)
        for _ in range(2)
    )
    assert np.array_equal(one.transform(DIGITS), other.transform(DIGITS))
    again = pickle.loads(pickle.dumps(one))
    assert np.array_equal(again.reconstruct(DIGITS), one.reconstruct(DIGITS))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_reconstructed_in_the_users_units(kind):
    frame = make_frame()
    autoencoder = AutoencoderTransformer(
        3, kind=kind, kl_weight=0.01, noise=0.1, mask_fraction=0.1, random_state=0
    ).fit(frame)
    table = autoencoder.reconstruct(frame)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == list(frame.columns)
    assert table.dtypes["same"] == "category"
    assert table["flag"].dtype == bool
    assert np.corrcoef(table["double"], frame["double"])[0, 1] > 0.97
    assert abs(table["double"].mean() - 1000) < 30
    assert (table["same"] == frame["same"]).mean() > 0.95
    assert set(table["whole"]) <= {3, 7}
    known = frame["level"].notna()
    assert (table["level"] == frame["level"])[known].mean() > 0.9
    assert not table.isna().any(axis=None)


def test_missing_values_count_neither_in_the_loss_nor_in_the_score():
    frame = make_frame()
    autoencoder = AutoencoderTransformer(3, max_iter=20, random_state=0).fit(frame)
    scores = autoencoder.score_samples(frame)
    codec, encoder = autoencoder._codec, autoencoder._encoder
    output = autoencoder._forward(frame)
    numbers = (output[:, :3] - codec.encode(frame, float)[:, :3]) ** 2
    sums, known = np.nansum(numbers, axis=1), (~np.isnan(numbers)).sum(axis=1)
    logits = np.split(output[:, 3:], np.cumsum(codec.n_levels_)[:-1], axis=1)
    for name, of_column, column in zip(
        ("level", "same", "whole"), logits, encoder.categories_, strict=True
    ):
        levels = list(column)
        for i, value in enumerate(frame[name]):
            if not pd.isna(value):
                p = np.exp(of_column[i] - np.logaddexp.reduce(of_column[i]))
                sums[i] -= 2 * np.log(p[levels.index(value)])
                known[i] += 1
    np.testing.assert_allclose(scores, -sums / known, rtol=1e-8)


def test_other_libraries_get_their_frames_back():
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0] * 20, "b": ["u", "v", "u"] * 20})
    autoencoder = AutoencoderTransformer(2, max_iter=200, random_state=0).fit(frame)
    table = autoencoder.inverse_transform(autoencoder.transform(frame))
    assert isinstance(table, pl.DataFrame)
    assert table["b"].to_list() == frame["b"].to_list()
    codes = autoencoder.set_output(transform="polars").transform(frame)
    assert codes.columns == ["autoencodertransformer0", "autoencodertransformer1"]
    assert list(autoencoder.get_feature_names_out()) == codes.columns


@pytest.mark.parametrize("scale", ["standard", "robust", "quantile", None])
def test_scales_are_undone(scale):
    X = np.random.default_rng(0).gamma(2.0, size=(200, 3)) * [1, 100, 1e4]
    autoencoder = AutoencoderTransformer(
        3, (), scale=scale, max_iter=1, random_state=0, learning_rate_init=1e-12
    ).fit(X)
    inside = (np.quantile(X, 0.1, axis=0) < X) & (np.quantile(X, 0.9, axis=0) > X)
    difference = (autoencoder.reconstruct(X) - X) / [1, 100, 1e4]
    assert np.abs(difference[inside]).max() < 1e-3


def test_sparse_samples_give_the_codes_of_dense_ones():
    X = np.where(DIGITS > 8, DIGITS, 0.0)
    one = AutoencoderTransformer(3, scale=None, max_iter=5, random_state=0).fit(X)
    other = clone(one).fit(sparse.csr_matrix(X))
    np.testing.assert_allclose(other.transform(sparse.csr_matrix(X)), one.transform(X), atol=1e-6)
    np.testing.assert_allclose(other.score_samples(X), one.score_samples(X), atol=1e-6)


def test_search_over_components_in_a_pipeline():
    pipeline = make_pipeline(
        AutoencoderTransformer(max_iter=5, random_state=0),
        DeepMLPClassifier((), max_iter=30, learning_rate_init=0.05, random_state=0),
    )
    grid = {"autoencodertransformer__n_components": [1, 10]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(DIGITS, LABELS)
    assert search.best_params_ == {"autoencodertransformer__n_components": 10}
    alone = GridSearchCV(AutoencoderTransformer(max_iter=5), {"n_components": [1, 10]}, cv=2)
    assert alone.fit(DIGITS).best_params_ == {"n_components": 10}


def test_validation_samples_and_callbacks_are_followed():
    seen = []
    autoencoder = AutoencoderTransformer(2, max_iter=4, callbacks=[seen.append], random_state=0)
    autoencoder.fit(DIGITS[:200], X_val=DIGITS[200:])
    assert len(seen) == 4
    assert len(autoencoder.validation_loss_curve_) == 4
    output = autoencoder._forward(DIGITS[200:])
    errors = (output - autoencoder._codec.encode(DIGITS[200:], float)) ** 2
    assert autoencoder.validation_loss_curve_[-1] == pytest.approx(errors.sum(1).mean() / 2)


def test_partial_fit_and_warm_start_go_on():
    one = AutoencoderTransformer(2, shuffle=False, random_state=0)
    for _ in range(3):
        one.partial_fit(DIGITS)
    other = AutoencoderTransformer(2, shuffle=False, max_iter=3, random_state=0).fit(DIGITS)
    np.testing.assert_allclose(one.loss_, other.loss_)
    more = other.set_params(warm_start=True, max_iter=1).fit(DIGITS)
    assert more.loss_ < one.loss_
    with pytest.raises(ValueError, match="n_components was 2 and is 3 now"):
        more.set_params(n_components=3).fit(DIGITS)


def test_images_are_tables_of_pixels():
    images = DIGITS.reshape(-1, 8, 8)
    one = AutoencoderTransformer(2, max_iter=3, random_state=0).fit(images)
    other = AutoencoderTransformer(2, max_iter=3, random_state=0).fit(DIGITS)
    assert one.image_shape_ == (8, 8)
    codes = one.transform(images)
    assert np.array_equal(codes, other.transform(DIGITS))
    assert np.array_equal(one.transform(DIGITS), codes)
    table = other.reconstruct(DIGITS)
    assert np.array_equal(one.reconstruct(images), table.reshape(-1, 8, 8))
    assert np.array_equal(one.inverse_transform(codes), table.reshape(-1, 8, 8))
    with pytest.raises(ValueError, match=r"images of shape \(8, 8\), but.*shape \(4, 16\)"):
        one.transform(DIGITS.reshape(-1, 4, 16))
    with pytest.raises(ValueError, match="was fitted on tables, but X holds images"):
        other.transform(images)
    assert not hasattr(one.fit(DIGITS), "image_shape_")


def test_codes_of_another_length_are_refused():
    autoencoder = AutoencoderTransformer(2, max_iter=1, random_state=0).fit(DIGITS)
    with pytest.raises(ValueError, match=r"must have 2 components.*got 3. Give what transform"):
        autoencoder.inverse_transform(np.zeros((1, 3)))


def test_missing_values_that_come_after_the_first_call_are_refused_in_training():
    autoencoder = AutoencoderTransformer(2, random_state=0).partial_fit(DIGITS)
    X = DIGITS.copy()
    X[0, 0] = np.nan
    assert np.isfinite(autoencoder.score_samples(X)).all()
    with pytest.raises(ValueError, match="had none in the first call"):
        autoencoder.partial_fit(X)


def test_lists_for_another_number_of_layers_are_refused():
    with pytest.raises(ValueError, match="activation must be one value, or one for each of the 1"):
        AutoencoderTransformer(activation=["relu", "tanh"]).fit(DIGITS)


def test_lbfgs_trains_plain_networks_alone():
    plain = AutoencoderTransformer(2, (8,), solver="lbfgs", max_iter=20, random_state=0)
    pca = PCA(2).fit(StandardScaler().fit_transform(DIGITS))
    plain.fit(DIGITS)
    linear = error_of(
        pca.inverse_transform(pca.transform(StandardScaler().fit_transform(DIGITS))),
        StandardScaler().fit_transform(DIGITS),
    )
    assert -plain.score(DIGITS) < linear
    with pytest.raises(ValueError, match="'Corruption' of the network change it"):
        clone(plain).set_params(kind="masked").fit(DIGITS)


class WatchBatches(Callback):
    """A callback for which steps are taken by autograd."""

    def on_batch_end(self, net, **kwargs):
        """Look at a batch."""


@pytest.mark.parametrize("kind", ["denoising", "masked"])
def test_handwritten_steps_draw_the_noise_of_autograd(kind):
    X = np.random.default_rng(0).normal(size=(130, 5))
    models = [
        AutoencoderTransformer(
            2, (8,), kind=kind, max_iter=3, batch_size=32, callbacks=callbacks, random_state=0
        ).fit(X)
        for callbacks in (None, [WatchBatches()])
    ]
    assert [model.runner_ for model in models] == ["handwritten", "autograd"]
    for ours, theirs in zip(*(model.coefs_ for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(*(model.loss_curve_ for model in models), rtol=1e-12)


def test_noise_on_sparse_samples_goes_by_autograd():
    X = sparse.random_array((90, 6), density=0.3, random_state=0, format="csr")
    params = {"kind": "denoising", "scale": None, "max_iter": 2, "random_state": 0}
    model = AutoencoderTransformer(2, (8,), **params).fit(X)
    assert "not a plain MLP" in model.runner_reasons_["handwritten"]
    dense = AutoencoderTransformer(2, (8,), **params).fit(X.toarray())
    np.testing.assert_allclose(model.coefs_[0], dense.coefs_[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("names", [[0.0, 1.0, 2.0], ["a", "b", "c"]], ids=["numbers", "text"])
def test_categories_of_an_array_are_reconstructed_in_their_places(names):
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=60)
    table = np.empty((60, 2), dtype=object if isinstance(names[0], str) else float)
    table[:, 0], table[:, 1] = np.array(names)[codes], codes + 0.1 * rng.normal(size=60)
    model = AutoencoderTransformer(2, (16,), categorical_features=[0], max_iter=300)
    again = model.set_params(random_state=0).fit(table).reconstruct(table)
    assert again.dtype == table.dtype
    np.testing.assert_array_equal(again[:, 0], table[:, 0])
    assert np.corrcoef(again[:, 1].astype(float), table[:, 1].astype(float))[0, 1] > 0.9


def test_the_layer_of_the_variance_is_described_behind_that_of_the_code():
    X = np.random.default_rng(0).normal(size=(20, 3))
    model = AutoencoderTransformer(2, (5,), kind="variational", max_iter=1).fit(X)
    layers = [(spec.kind, spec.n_inputs, spec.n_outputs) for spec in model.module_.describe()]
    code = [("Linear", 3, 5), ("Linear", 5, 2), ("LogVariance", 5, 2)]
    assert layers == [*code, ("Linear", 2, 5), ("Linear", 5, 3)]
    n_parameters = sum(p.numel() for p in model.module_.parameters())
    assert sum(spec.n_parameters for spec in model.module_.describe()) == n_parameters
