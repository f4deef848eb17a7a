"""Dates, times of day and durations, from every kind of frame and array."""

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn import AutoencoderTransformer, DeepMLPClassifier, TabularMLPRegressor
from sknn.preprocessing import TabularEncoder
from sknn.preprocessing.tables._values import TableKind, make_table, read_values

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

MOMENTS = [
    datetime.datetime(2020, 2, 29, 6),
    None,
    datetime.datetime(2021, 12, 31, 18, 30),
    datetime.datetime(2021, 7, 4),
]
DATES = [None if moment is None else moment.date() for moment in MOMENTS]
SPANS = [datetime.timedelta(days=1, seconds=30), None, datetime.timedelta(0)]
CLOCKS = [datetime.time(6), None, datetime.time(18, 30)]


def stamps(values, dtype="M8[us]"):
    return np.array(["NaT" if value is None else value for value in values], dtype)


def encode(X, **params):
    encoder = TabularEncoder(dtype="float64", **params)
    encoded = encoder.fit_transform(X)
    return dict(zip(encoder.get_feature_names_out().tolist(), encoded.T, strict=True))


def make_frames(values, arrow_type):
    plain = pd.Series(values, dtype=object)
    return {
        "pandas objects": plain.to_frame("t"),
        "pandas": pd.DataFrame({"t": pd.Series(values)}),
        "pandas arrow": pd.DataFrame({"t": pd.Series(values, dtype=pd.ArrowDtype(arrow_type))}),
        "polars": pl.DataFrame({"t": values}),
        "pyarrow": pa.table({"t": pa.array(values, arrow_type)}),
    }


def angle(share):
    return np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)


@pytest.mark.parametrize("kind", make_frames(MOMENTS, pa.timestamp("us")))
def test_moments_become_numbers_and_points_on_circles(kind):
    encoded = encode(make_frames(MOMENTS, pa.timestamp("us"))[kind])
    parts = ["month", "day", "weekday", "hour"]
    circles = [f"t_{part}_{end}" for part in parts for end in ("sin", "cos")]
    assert list(encoded) == ["t_seconds", "t_year", *circles, "t_missing"]
    there = [0, 2, 3]
    since = [(MOMENTS[i] - MOMENTS[0]).total_seconds() for i in there]
    assert_allclose(encoded["t_seconds"][there], since)
    assert_array_equal(encoded["t_year"][there], [2020, 2021, 2021])
    for part, shares in {
        "month": [1 / 12, 11 / 12, 6 / 12],
        "day": [28 / 31, 30 / 31, 3 / 31],
        "weekday": [MOMENTS[i].weekday() / 7 for i in there],
        "hour": [6 / 24, 18.5 / 24, 0],
    }.items():
        sine, cosine = angle(np.array(shares))
        assert_allclose(encoded[f"t_{part}_sin"][there], sine, atol=1e-12)
        assert_allclose(encoded[f"t_{part}_cos"][there], cosine, atol=1e-12)
    assert_array_equal(encoded["t_missing"], [0, 1, 0, 0])
    assert_allclose(encoded["t_year"][1], (2020 + 2021 + 2021) / 3)


@pytest.mark.parametrize("kind", make_frames(DATES, pa.date32()))
def test_dates_have_no_hour_and_each_frame_gives_the_same(kind):
    frames = make_frames(DATES, pa.date32())
    encoded = encode(frames[kind])
    assert "t_hour_sin" not in encoded
    encoder = TabularEncoder(dtype="float64").fit(frames["pandas objects"])
    assert_array_equal(encoder.transform(frames[kind]), np.column_stack(list(encoded.values())))


@pytest.mark.parametrize("kind", make_frames(SPANS, pa.duration("us")))
def test_durations_become_seconds(kind):
    encoded = encode(make_frames(SPANS, pa.duration("us"))[kind])
    assert_array_equal(encoded["t_seconds"], [86430, 43215, 0])
    assert_array_equal(encoded["t_missing"], [0, 1, 0])


@pytest.mark.parametrize("kind", ["pandas objects", "pandas arrow", "polars", "pyarrow"])
def test_times_of_day_become_seconds_and_an_angle(kind):
    encoded = encode(make_frames(CLOCKS, pa.time64("us"))[kind])
    assert_array_equal(encoded["t_seconds"][[0, 2]], [21600, 66600])
    assert_allclose(encoded["t_hour_sin"][[0, 2]], angle(np.array([6, 18.5]) / 24)[0])


def test_periods_are_their_beginnings():
    periods = pd.DataFrame({"t": pd.PeriodIndex(["2020-01", "2021-03"], freq="M")})
    starts = pd.DataFrame({"t": pd.to_datetime(["2020-01-01", "2021-03-01"])})
    assert encode(periods).keys() == encode(starts).keys()
    for name, values in encode(starts).items():
        assert_array_equal(encode(periods)[name], values)


def test_arrays_of_times_are_read_like_frames():
    column = stamps(MOMENTS)
    frame = np.column_stack(list(encode(pd.DataFrame({"t": column})).values()))
    for X in (column[:, None], column[:, None].astype(object), column.astype("M8[ns]")[:, None]):
        assert_array_equal(TabularEncoder(dtype="float64").fit_transform(X), frame)
    spans = stamps(SPANS, "m8[s]")[:, None]
    assert_array_equal(TabularEncoder().fit_transform(spans)[:, 0], [86430, 43215, 0])


@pytest.mark.parametrize("kind", ["pandas", "objects", "polars"])
def test_clocks_are_read_in_the_time_zone_of_fit(kind):
    stamp = pd.to_datetime(["2021-01-01 23:30", "2021-07-01 12:00", "2021-07-02 00:00"], utc=True)
    there = stamp.tz_convert("Asia/Tokyo")
    frames = {
        "pandas": [pd.DataFrame({"t": zone}) for zone in (there, stamp)],
        "objects": [pd.DataFrame({"t": zone.astype(object)}) for zone in (there, stamp)],
        "polars": [
            pl.DataFrame({"t": stamp.tz_localize(None).tolist()}).with_columns(
                pl.col("t").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
            )
            for zone in ("Asia/Tokyo", "UTC")
        ],
    }[kind]
    encoder = TabularEncoder(dtype="float64").fit(frames[0])
    names = encoder.get_feature_names_out().tolist()
    encoded = encoder.transform(frames[0])
    hours = angle(np.array([8.5, 21, 9]) / 24)
    assert_allclose(encoded[:, names.index("t_hour_sin")], hours[0], atol=1e-12)
    assert encoded[0, 0] == 0  # in UTC it is the same moment
    assert_allclose(encoder.transform(frames[1]), encoded)
    with pytest.raises(ValueError, match="'t' had time zone 'Asia/Tokyo' in fit and has no time"):
        encoder.transform(pd.DataFrame({"t": stamp.tz_localize(None)}))


def test_an_offset_alone_is_read_in_utc():
    X = pd.DataFrame({"t": pd.to_datetime(["2021-01-01 01:00+01:00", "2021-01-01 13:00+01:00"])})
    assert_allclose(encode(X)["t_hour_cos"], [1, -1])


def test_times_with_and_without_a_zone_are_not_mixed():
    aware = MOMENTS[0].replace(tzinfo=datetime.UTC)
    X = pd.DataFrame({"t": pd.Series([aware, MOMENTS[2]], dtype=object)})
    with pytest.raises(ValueError, match="'t' mixes times with a time zone and times without"):
        TabularEncoder().fit(X)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2020-01-01"], r"held dates in fit and is text now \(first value: '2020-01-01'\).*to_d"),
        ([3.5], r"held dates in fit and is numeric now \(first value: 3.5\)"),
        ([datetime.timedelta(1)], r"held dates in fit and holds durations now \(first value:"),
        ([CLOCKS[0]], "held dates in fit and holds times of day now"),
    ],
)
def test_a_column_of_another_kind_is_named(values, message):
    encoder = TabularEncoder().fit(pd.DataFrame({"t": stamps(MOMENTS), "n": 1.0}))
    with pytest.raises(ValueError, match=f"Column 't' {message}"):
        encoder.transform(pd.DataFrame({"t": values, "n": 1.0}))


def test_an_array_of_numbers_where_there_were_dates_is_named():
    encoder = TabularEncoder().fit(stamps(MOMENTS)[:, None])
    with pytest.raises(ValueError, match="Column 0 held dates in fit and is numeric now"):
        encoder.encode(np.ones((2, 1)))


def test_missing_times_are_filled_silently_and_all_missing_ones_are_0():
    encoder = TabularEncoder(dtype="float64").fit(pd.DataFrame({"t": stamps(MOMENTS)}))
    later = encoder.transform(pd.DataFrame({"t": stamps([None, None])}))
    assert_array_equal(later, encoder.transform(pd.DataFrame({"t": [None, None]})))
    assert_array_equal(later[:, -1], [1, 1])
    empty = TabularEncoder(scale="standard").fit(pd.DataFrame({"t": stamps([None, None])}))
    assert_array_equal(empty.transform(pd.DataFrame({"t": stamps(MOMENTS)})), np.zeros((4, 1)))


def test_dates_are_no_categories_unless_they_are_made_such():
    X = pd.DataFrame({"t": stamps(MOMENTS)})
    with pytest.raises(ValueError, match=r"'t' holds dates.*but it is in categorical_features"):
        TabularEncoder(["t"]).fit(X)
    assert TabularEncoder().fit(X.astype("category")).is_categorical_.all()


def test_samples_of_weight_0_are_left_out():
    X = pd.DataFrame({"t": stamps([*DATES[2:], datetime.date(1900, 1, 1)])})
    fitted = TabularEncoder(scale="quantile").fit(X, sample_weight=[1, 1, 0])
    without = TabularEncoder(scale="quantile").fit(X[:2])
    assert_array_equal(fitted.get_feature_names_out(), without.get_feature_names_out())
    assert_array_equal(fitted.transform(X), without.transform(X))


def made_up(n=600):
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 24 * 700, n), "h")
    X = pd.DataFrame({"noise": rng.normal(size=n), "when": days})
    y = np.where(days.day_of_week >= 5, 3.0, 0.0) + np.sin(2 * np.pi * days.hour / 24)
    X.loc[::40, "when"] = pd.NaT
    return X, y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_learn_from_dates_and_importances_are_by_column():
    X, y = made_up()
    model = TabularMLPRegressor(n_members=3, max_iter=40, random_state=0).fit(X[:450], y[:450])
    assert model.score(X[450:], y[450:]) > 0.8
    assert model.feature_importances_[1] > 0.9
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    other = DeepMLPClassifier(max_iter=60, learning_rate_init=0.01, random_state=0)
    other.fit(X[:450], y[:450] > 1.5, X_val=X[450:], y_val=y[450:] > 1.5)
    assert other.score(X[450:], y[450:] > 1.5) > 0.8
    assert len(other.validation_loss_curve_) == other.n_iter_


def test_skops_keeps_dates_and_onnx_refuses_them_by_name():
    sio = pytest.importorskip("skops.io")
    pytest.importorskip("onnx")
    from sknn.export import export_onnx
    from sknn.persistence import trusted_types

    X, y = made_up(100)
    X["when"] = X["when"].dt.tz_localize("UTC")
    model = TabularMLPRegressor(n_members=2, max_iter=1, random_state=0).fit(X, y)
    again = sio.loads(sio.dumps(model), trusted_types())
    assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(ValueError, match=r"'when' cannot be exported: it holds dates.*TabularEnc"):
        export_onnx(model)


def read_and_make(X):
    """Return a frame made of the values that an autoencoder reads of X."""
    encoder = TabularEncoder(scale="standard", dtype="float64").fit(X)
    return make_table(encoder, TableKind.of(X), read_values(encoder, X, "float64"))


TIMES = {
    "moments": (MOMENTS, pa.timestamp("us")),
    "dates": (DATES, pa.date32()),
    "durations": (SPANS, pa.duration("us")),
    "times of day": (CLOCKS, pa.time64("us")),
}


@pytest.mark.parametrize("what", TIMES)
@pytest.mark.parametrize("kind", ["pandas arrow", "polars", "pyarrow"])
def test_times_follow_from_their_numbers(kind, what):
    frame = make_frames(*TIMES[what])[kind]
    column = read_and_make(frame)["t"]
    found = column.to_pylist() if kind == "pyarrow" else column.to_list()
    found = [None if value is None or pd.isna(value) else value for value in found]
    expected = TIMES[what][0]
    if kind == "pandas arrow" and what == "dates":  # pandas has no days without a time
        found = [value and value.date() for value in found]
    assert found == list(expected)


def test_days_stay_days_where_clocks_change():
    days = pd.date_range("2024-03-28", "2024-04-02", tz="Europe/Berlin", unit="us")
    frame = pd.DataFrame({"t": days})
    encoder = TabularEncoder(dtype="float64").fit(frame)
    values = read_values(encoder, frame, "float64")
    values[:, 0] += np.linspace(-40_000, 40_000, len(days))
    pd.testing.assert_frame_equal(make_table(encoder, TableKind.of(frame), values), frame)


def test_times_beyond_the_calendar_end_with_it():
    frame = pd.DataFrame({"t": MOMENTS[:1] + MOMENTS[2:]})
    encoder = TabularEncoder(dtype="float64").fit(frame)
    values = read_values(encoder, frame, "float64")
    values[:2, 0] = [-1e20, 1e20]
    made = make_table(encoder, TableKind.of(frame), values)["t"]
    assert made.dt.year.tolist() == [1, 9999, 2021]


def test_an_autoencoder_gives_dates_back_as_dates():
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=200, unit="us"), "text": "same"})
    frame["later"] = (frame["t"] + pd.Timedelta(hours=5)).dt.tz_localize("UTC")
    autoencoder = AutoencoderTransformer(2, max_iter=5, random_state=0).fit(frame)
    table = autoencoder.reconstruct(frame)
    assert table.dtypes.tolist() == frame.dtypes.tolist()
    assert abs(table["t"] - frame["t"]).mean() < pd.Timedelta(days=20)
    assert set(table["later"].dt.hour) == {5}
    codes = autoencoder.transform(frame)
    pd.testing.assert_frame_equal(autoencoder.inverse_transform(codes), table)
