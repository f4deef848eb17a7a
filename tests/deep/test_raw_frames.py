"""Data frames as they come: categories, text, gaps, in pandas and polars."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import DeepMLPClassifier, DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 600
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "income": rng.lognormal(10, 1, n),
            "city": rng.choice(["Rome", "Oslo", "Bern"], n),
            "street": rng.choice([f"street {i}" for i in range(40)], n),
            "member": rng.choice([True, False], n),
        }
    )
    by_street = frame["street"].str[7:].astype(int) % 2
    y = ((frame["city"] == "Rome") | (by_street == 1)).to_numpy().astype(int)
    frame.loc[::7, "age"] = np.nan
    frame.loc[::50, "city"] = None
    return frame, y


def to_polars(frame):
    """Return a frame of polars; its own way from pandas needs pyarrow."""
    columns = {name: column.astype(object) for name, column in frame.items()}
    return pl.DataFrame(
        {name: [None if pd.isna(v) else v for v in c] for name, c in columns.items()}
    )


classifier = partial(DeepMLPClassifier, max_iter=60, learning_rate_init=0.01, random_state=0)


def test_raw_frame_is_learned_without_preparation(table):
    frame, y = table
    model = classifier(early_stopping=False).fit(frame[:400], y[:400])
    assert model.score(frame[400:], y[400:]) > 0.9
    assert model.n_features_in_ == 5
    assert model.feature_names_in_.tolist() == list(frame)
    assert model.module_.embeddings is not None


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("fit_on", ["pandas", "polars"])
def test_pandas_and_polars_are_the_same(table, early_stopping, fit_on):
    frame, y = table
    frames = {"pandas": frame, "polars": to_polars(frame)}
    model = classifier(max_iter=5, early_stopping=early_stopping)
    expected = clone(model).fit(frame, y).predict_proba(frame)
    fitted = model.fit(frames[fit_on], y)
    for other in frames.values():
        np.testing.assert_array_equal(fitted.predict_proba(other), expected)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_frame_of_numbers_alone_trains_as_the_array(table, early_stopping, make):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(int)
    model = classifier(max_iter=3, early_stopping=early_stopping)
    on_array = clone(model).fit(X, y)
    on_frame = clone(model).fit(make(X, ["a", "b", "c"][:3] if make is pl.DataFrame else None), y)
    np.testing.assert_array_equal(on_frame.coefs_[0], on_array.coefs_[0])


def test_levels_not_seen_in_training_are_judged(table):
    frame, y = table
    model = classifier(max_iter=3).fit(frame, y)
    new = frame[:4].assign(city="Paris", street="elsewhere")
    assert np.isfinite(model.predict_proba(new)).all()


def test_encoders_learn_from_training_samples_alone(table):
    frame, y = table
    far = frame[400:].assign(age=1e6, city="Paris")
    model = classifier(max_iter=2).fit(frame[:400], y[:400], X_val=far, y_val=y[400:])
    plain = classifier(max_iter=2).fit(frame[:400], y[:400])
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    held_out = classifier(max_iter=1, early_stopping=True, validation_fraction=0.5)
    levels = frame.assign(street=pd.Categorical(np.arange(600)))
    assert held_out.fit(levels, y)._inputs.cardinalities == (301,)  # 300 streets, and unknown


@pytest.mark.parametrize("missing_in", ["fit", "predict"])
def test_arrays_with_gaps(missing_in, rng):
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(int)
    gaps = np.where(rng.uniform(size=X.shape) < 0.1, np.nan, X)
    model = classifier(max_iter=30).fit(gaps if missing_in == "fit" else X, y)
    assert np.isfinite(model.predict_proba(gaps)).all()
    assert model.score(X, y) > 0.9
    assert len(model.coefs_[0]) == (6 if missing_in == "fit" else 3)


@pytest.mark.parametrize("scale", ["standard", "robust", "quantile"])
def test_scaling_inside_makes_units_harmless(scale, rng):
    X = rng.normal(size=(300, 3)) * [1e-6, 1.0, 1e6] + [0, 1e3, 1e7]
    y = (X[:, 0] > 0).astype(int)
    assert classifier(scale=scale).fit(X, y).score(X, y) > 0.95
    assert classifier(scale=None).fit(X[:, 1:], y).score(X[:, 1:], y) < 0.7


def test_mixed_frames_are_scaled_and_numbers_alone_are_not(table):
    frame, y = table
    mixed = classifier(max_iter=1).fit(frame, y)
    encoded = mixed._encoder.encode(frame)[:, :2]
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-6)
    numbers = frame[["age", "income"]].dropna()
    alone = classifier(max_iter=1).fit(numbers, y[numbers.index])
    np.testing.assert_array_equal(alone._encoder.encode(numbers), numbers.to_numpy())


@pytest.mark.parametrize("names", [["city", "street"], [2, 3], [False, False, True, True, False]])
def test_categorical_features_by_name_position_or_mask(table, names):
    frame, y = table
    by_dtype = classifier(max_iter=2).fit(frame, y)
    chosen = classifier(max_iter=2, categorical_features=names).fit(frame, y)
    np.testing.assert_array_equal(chosen.coefs_[0], by_dtype.coefs_[0])


def test_codes_in_an_array_can_be_categories(rng):
    X = np.column_stack([rng.integers(0, 30, 500), rng.normal(size=500)])
    y = (X[:, 0] % 2).astype(int)
    model = classifier(categorical_features=[0], max_iter=100).fit(X, y)
    assert model.score(X, y) > 0.95
    assert model._inputs.cardinalities == (31,)


def test_company_of_scikit_learn(table):
    frame, y = table
    model = classifier(max_iter=5)
    assert np.isfinite(cross_val_score(model, frame, y, cv=3, error_score="raise")).all()
    pipeline = make_pipeline(FunctionTransformer(), model)
    search = GridSearchCV(pipeline, {"deepmlpclassifier__scale": ["standard", "robust"]}, cv=2)
    assert search.fit(frame, y).best_score_ > 0.5
    columns = make_column_transformer(("passthrough", ["age", "city"])).set_output(
        transform="pandas"
    )
    assert make_pipeline(columns, model).fit(frame, y).score(frame, y) > 0.5
    again = pickle.loads(pickle.dumps(model.fit(frame, y)))
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))
    assert HistGradientBoostingClassifier().fit(frame[["age"]], y).n_features_in_ == 1


def test_partial_fit_and_warm_start_keep_the_encoder(table):
    frame, y = table
    model = classifier()
    for part in (slice(0, 200), slice(200, 400)):
        model.partial_fit(frame[part], y[part], classes=[0, 1])
    assert model.t_ == 400
    warm = classifier(max_iter=2, warm_start=True).fit(frame[:300], y[:300]).fit(frame, y)
    assert len(warm.loss_curve_) == 4


def test_regressor_takes_frames_too(table):
    frame, y = table
    model = DeepMLPRegressor(max_iter=60, learning_rate_init=0.01, random_state=0)
    assert model.fit(frame, 100.0 + 5 * y).score(frame, 100.0 + 5 * y) > 0.8


def nested(frame):
    return to_polars(frame).with_columns(both=pl.concat_list(["age", "income"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(age="n/a"), r"'age' was numeric in fit and is text now .*'n/a'"),
        (lambda f: f.drop(columns="city"), "now missing:\n- city"),
        (lambda f: f.assign(new=1.0), "unseen at fit time:\n- new"),
        (lambda f: f[f.columns[::-1]], "must be in the same order"),
        (lambda f: f.assign(income=np.inf), "infinity"),
    ],
    ids=["kind", "missing", "additional", "order", "infinity"],
)
def test_changed_columns_are_errors_by_name(table, change, message):
    frame, y = table
    model = classifier(max_iter=1).fit(frame, y)
    with pytest.raises(ValueError, match=message):
        model.predict(change(frame))
    with pytest.raises(ValueError, match=message):
        classifier(max_iter=1).fit(frame, y, X_val=change(frame), y_val=y)


def test_what_no_network_can_take_is_an_error_by_name(table):
    frame, y = table
    with pytest.raises((TypeError, ValueError), match="'both'"):
        classifier().fit(nested(frame), y)
    mixed = frame.assign(since=pd.Series([pd.Timestamp("2020-01-01"), "now"] * 300, dtype=object))
    with pytest.raises((TypeError, ValueError), match="'since'"):
        classifier().fit(mixed, y)
    with pytest.raises(ValueError, match="age"):
        classifier(categorical_features=["age"]).fit(frame[["age"]], y)  # fractions
