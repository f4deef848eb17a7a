"""Fits on files, datasets, lazy frames and streams."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sknn import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.model_selection import DeepEnsembleRegressor

pa = pytest.importorskip("pyarrow", reason="sknn[data] is not installed")
parquet = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: more numbers than a source has that is read as a whole
N_SAMPLES, N_SMALL = 50_000, 300
N_NUMBERS = 42
FEATURES = [*(f"x{j}" for j in range(N_NUMBERS)), "gap", "city", "zip"]


def make_table(n_samples, seed=0):
    rng = np.random.RandomState(seed)
    table = pd.DataFrame({f"x{j}": rng.randn(n_samples) for j in range(N_NUMBERS)})
    table["gap"] = np.where(rng.uniform(size=n_samples) < 0.1, np.nan, 3 + 2 * rng.randn(n_samples))
    table["city"] = rng.choice(["Berlin", "Oslo", "Rome"], n_samples)
    table["zip"] = rng.choice([f"z{i:02}" for i in range(30)], n_samples)
    table.loc[n_samples - 1, "zip"] = "seen once"
    signal = table.x0 + 2 * (table.city == "Rome") - (table.zip < "z15") + table.gap.isna()
    table["t"] = 100 + 5 * (signal + 0.3 * rng.randn(n_samples))
    table["y"] = np.where(signal + 0.5 * rng.randn(n_samples) > 0.3, "yes", "no")
    table["w"] = rng.uniform(0.5, 2.0, n_samples)
    return table


def write(table, path, columns, group=10_000):
    kept = pa.Table.from_pandas(table[[*FEATURES, *columns]], preserve_index=False)
    parquet.write_table(kept, path, row_group_size=group)
    return path


@pytest.fixture(scope="module")
def large():
    return make_table(N_SAMPLES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, large):
    path = tmp_path_factory.mktemp("large")
    write(large, path / "y.parquet", ["y"])
    write(large, path / "t.parquet", ["t"])
    return path


QUICK = {"max_iter": 1, "random_state": 0}
SMALL_MEMBERS = {**QUICK, "n_members": 2, "hidden_width": 16, "numerical_embedding": None}


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (DeepMLPClassifier(**QUICK), "y"),
        (DeepMLPRegressor(**QUICK), "t"),
        (DeepMLPClassifier(**QUICK, early_stopping=True, scale="quantile"), "y"),
        (TabularMLPClassifier(**SMALL_MEMBERS), "y"),
    ],
)
def test_a_large_file_gives_the_score_and_the_attributes_of_a_frame(model, target, folder, large):
    path = folder / f"{target}.parquet"
    of_frame = model.fit(large[FEATURES], large[target])
    score, attributes = of_frame.score(large[FEATURES], large[target]), dict(vars(of_frame))
    of_file = model.fit(path, target)
    assert of_file.score(path, target) == pytest.approx(score, abs=0.005)
    assert set(vars(of_file)) == set(attributes)
    assert of_file.feature_names_in_.tolist() == FEATURES
    assert set(of_file.history_) == set(attributes["_result"].progress.history)
    assert of_file.feature_importances_.shape == (len(FEATURES),)
    assert of_file.feature_importances_.sum() == pytest.approx(1.0)
    if target == "y":
        assert of_file.classes_.tolist() == ["no", "yes"]
    else:
        np.testing.assert_allclose(of_file.target_mean_, large.t.mean())
        np.testing.assert_allclose(of_file.target_scale_, large.t.std(ddof=0))


def test_all_levels_missing_values_and_scales_of_a_file_are_known(folder, large):
    model = DeepMLPClassifier(**QUICK, scale="standard").fit(folder / "y.parquet", "y")
    encoder, expected = model._encoder, DeepMLPClassifier(**QUICK, scale="standard")
    expected.fit(large[FEATURES], large.y)
    assert encoder.categories_ == expected._encoder.categories_
    assert "seen once" in encoder.categories_[1]
    head = large[FEATURES].head(500)
    np.testing.assert_allclose(
        encoder.encode(head), expected._encoder.encode(head), rtol=1e-6, atol=1e-7
    )


def test_predictions_of_a_file_are_those_of_a_frame(folder, large):
    path = folder / "y.parquet"
    model = DeepMLPClassifier(**QUICK).fit(large[FEATURES], large.y)
    np.testing.assert_array_equal(model.predict(path), model.predict(large[FEATURES]))
    np.testing.assert_allclose(
        model.predict_proba(path), model.predict_proba(large[FEATURES]), rtol=1e-6, atol=1e-9
    )
    members = TabularMLPRegressor(**SMALL_MEMBERS).fit(large[FEATURES].head(2000), large.t[:2000])
    y, std = members.predict(path, return_std=True)
    assert y.shape == std.shape == (N_SAMPLES,)


def test_a_fit_on_a_file_is_the_same_each_time_and_is_not_that_of_another_order(folder):
    path = folder / "t.parquet"
    first, again, other = (
        DeepMLPRegressor(**{**QUICK, "random_state": seed}).fit(path, "t") for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.coefs_[0], again.coefs_[0])
    assert not np.array_equal(first.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize("has_gaps", [False, True])
def test_a_large_file_of_numbers_gives_the_network_of_its_frames(has_gaps, large, tmp_path):
    table = large[[*FEATURES[:N_NUMBERS], "gap", "t", "w", "y"]].copy()
    table["t"] = np.where(table.y == "yes", 1, 0)
    table = table.drop(columns="y").fillna({} if has_gaps else {"gap": 0.0})
    parquet.write_table(pa.Table.from_pandas(table), tmp_path / "t.parquet", row_group_size=20_000)

    def read():
        for start in range(0, N_SAMPLES, 9000):
            own = table.iloc[start : start + 9000]
            yield own.drop(columns=["t", "w"]), own.t, own.w

    model = DeepMLPClassifier(**QUICK, early_stopping=True, shuffle=False)
    of_file = clone(model).fit(tmp_path / "t.parquet", "t", sample_weight="w")
    of_frames = clone(model).fit(read)
    # Means of all samples follow from chunks of other sizes.
    np.testing.assert_allclose(of_file.coefs_[0], of_frames.coefs_[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_file.validation_scores_, of_frames.validation_scores_, rtol=1e-9)
    assert of_file.feature_names_in_.tolist() == [*FEATURES[:N_NUMBERS], "gap"]
    frame = table.drop(columns=["t", "w"])
    probabilities = of_file.predict_proba(tmp_path / "t.parquet")
    np.testing.assert_allclose(probabilities, of_frames.predict_proba(frame), rtol=1e-12)


def test_weights_of_a_column_count(folder, large, tmp_path):
    large = large.assign(w=np.where(large.y == "yes", 1.0, 0.0))
    large.loc[:10, "w"] = 1.0
    path = write(large, tmp_path / "weighted.parquet", ["y", "w"])
    model = DeepMLPClassifier(**QUICK).fit(path, "y", sample_weight="w")
    assert np.mean(model.predict(path) == "yes") > 0.99
    assert model.t_ == np.count_nonzero(large.w)


def test_balanced_classes_of_a_file_weigh_the_same(tmp_path):
    table = make_table(N_SAMPLES)
    table["y"] = np.where(table.t > table.t.quantile(0.9), "high", "low")
    path = write(table, tmp_path / "rare.parquet", ["y"])
    model = DeepMLPClassifier(**QUICK, class_weight="balanced").fit(path, "y")
    recall = np.mean(model.predict(path)[table.y == "high"] == "high")
    plain = DeepMLPClassifier(**QUICK).fit(path, "y")
    assert recall > np.mean(plain.predict(path)[table.y == "high"] == "high") + 0.05


def test_training_goes_on_from_a_file_with_warm_start(folder):
    model = DeepMLPRegressor(**QUICK, warm_start=True).fit(folder / "t.parquet", "t")
    model.fit(folder / "t.parquet", "t")
    assert len(model.loss_curve_) == 2
    assert model.loss_curve_[1] < model.loss_curve_[0]


def test_validation_samples_of_a_file_are_scored(folder, large):
    path = folder / "t.parquet"
    model = DeepMLPRegressor(**QUICK).fit(path, "t", X_val=path, y_val="t")
    expected = model.score(path, "t")
    assert model.history_["validation_score"][-1] == pytest.approx(expected, abs=1e-6)


# --- small sources are read as a whole, so that arrays are the oracle of every kind


def of_kind(kind, table, folder):
    """Return a source of a table in some form."""
    columns = [*FEATURES, "y"]
    if kind in ("parquet", "folder"):
        write(table, folder / "small.parquet", ["y"], group=64)
        return folder if kind == "folder" else folder / "small.parquet"
    if kind == "list":
        return [
            write(table[part], folder / f"{i}.parquet", ["y"])
            for i, part in enumerate((slice(0, 100), slice(100, None)))
        ]
    if kind == "csv":
        table[columns].to_csv(folder / "small.csv", index=False)
        return folder / "small.csv"
    if kind == "feather":
        table[columns].to_feather(folder / "small.feather")
        return folder / "small.feather"
    if kind == "dataset":
        import pyarrow.dataset

        return pyarrow.dataset.dataset(write(table, folder / "small.parquet", ["y"]))
    if kind == "filtered":
        import pyarrow.dataset

        doubled = pd.concat([table.assign(x0=-99.0), table])
        path = write(doubled, folder / "small.parquet", ["y"])
        return pyarrow.dataset.dataset(path).filter(pyarrow.dataset.field("x0") > -90)
    if kind == "lazy":
        return pytest.importorskip("polars").from_pandas(table[columns]).lazy()
    if kind == "dask":
        dask = pytest.importorskip("dask.dataframe", reason="Dask is not installed")
        return dask.from_pandas(table[columns], npartitions=3)
    if kind == "frames":
        return lambda: (table[columns].iloc[i : i + 50] for i in range(0, len(table), 50))
    return pa.Table.from_pandas(table[columns], preserve_index=False)


KINDS = [
    *("parquet", "folder", "list", "csv", "feather", "dataset", "filtered", "lazy", "dask"),
    *("frames", "table"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_source_gives_bit_for_bit_the_model_of_a_frame(kind, tmp_path):
    table = make_table(N_SMALL)
    source = of_kind(kind, table, tmp_path)
    expected = DeepMLPClassifier(max_iter=3, random_state=0).fit(table[FEATURES], table.y)
    model = DeepMLPClassifier(max_iter=3, random_state=0).fit(source, "y")
    for one, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.score(source, "y") == expected.score(table[FEATURES], table.y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_chunks_of_arrays_with_their_own_y_and_weights_are_those_of_whole_arrays(solver):
    rng = np.random.RandomState(0)
    X, weight = rng.randn(200, 4), rng.uniform(size=200)
    y = X @ [1.0, -1.0, 0.5, 0.0]

    def read():
        return ((X[i : i + 30], y[i : i + 30], weight[i : i + 30]) for i in range(0, 200, 30))

    expected = DeepMLPRegressor(max_iter=3, random_state=0, solver=solver).fit(X, y, weight)
    model = DeepMLPRegressor(max_iter=3, random_state=0, solver=solver).fit(read)
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])
    assert model.score(read) == pytest.approx(expected.score(X, y, weight))


def test_y_may_be_an_array_beside_a_source_and_several_columns_of_it(tmp_path):
    table = make_table(N_SMALL)
    path = write(table, tmp_path / "a.parquet", ["t", "w"])
    several = DeepMLPRegressor(max_iter=2, random_state=0).fit(path, ["t", "w"])
    assert several.predict(path).shape == (N_SMALL, 2)
    features = write(table, tmp_path / "b.parquet", [])
    beside = DeepMLPRegressor(max_iter=2, random_state=0).fit(features, table[["t", "w"]])
    np.testing.assert_allclose(several.coefs_[0], beside.coefs_[0], rtol=1e-9)


def test_a_frame_may_hold_y_too():
    table = make_table(N_SMALL)[[*FEATURES, "y"]]
    expected = DeepMLPClassifier(max_iter=2, random_state=0).fit(table[FEATURES], table.y)
    model = DeepMLPClassifier(max_iter=2, random_state=0).fit(table, "y")
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])
    assert model.score(table, "y") == expected.score(table[FEATURES], table.y)


# --- what is refused, and what is to be done


def many_chunks(width=4, n_chunks=6):
    rng = np.random.RandomState(0)
    X = rng.randn(100_000, width)
    return lambda: ((X, np.sign(X[:, 0])) for _ in range(n_chunks))


def test_lbfgs_is_refused_where_samples_do_not_fit_into_memory():
    model = DeepMLPClassifier(solver="lbfgs")
    with pytest.raises(
        ValueError, match=r"solver='lbfgs' looks at all samples.*Take solver='adam'"
    ):
        model.fit(many_chunks())
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPClassifier((5,), pretrained=AutoencoderTransformer(2, (5,), max_iter=1)),
        SequenceCNNClassifier(kernel_size=2, pretrained="masked"),
    ],
)
def test_a_pretrained_network_needs_its_samples_in_memory(model):
    with pytest.raises(ValueError, match=r"pretrained needs all samples in memory.*fewer samples"):
        model.fit(many_chunks(16))


@pytest.mark.parametrize("model", [DeepMLPClassifier(), TabularMLPClassifier()])
def test_samples_without_labels_are_refused_beside_a_source(model):
    with pytest.raises(ValueError, match=r"X_unlabelled is for an"):
        model.fit(many_chunks(), X_unlabelled=np.zeros((3, 4)))


def test_freezing_is_refused_for_a_source_without_a_pretrained_network():
    with pytest.raises(ValueError, match=r"freeze_epochs=2 is for the layers of an autoencoder"):
        DeepMLPClassifier(freeze_epochs=2).fit(many_chunks())


def test_ensembles_take_no_source(tmp_path):
    path = write(make_table(20), tmp_path / "a.parquet", ["t"])
    with pytest.raises(TypeError, match=r"An ensemble takes samples in memory; got a source"):
        DeepEnsembleRegressor().fit(path, "t")


def test_partial_fit_takes_chunks_and_no_source(tmp_path):
    path = write(make_table(20), tmp_path / "a.parquet", ["t"])
    with pytest.raises(TypeError, match=r"partial_fit takes samples in memory, a chunk a call"):
        DeepMLPRegressor().partial_fit(path, "t")


def test_a_folder_without_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"X names the folder .* which is empty. Give one"):
        DeepMLPClassifier().fit(tmp_path, "y")


def test_a_function_with_arguments_is_told_that_it_is_called_without():
    with pytest.raises(TypeError, match=r"called without arguments.*'path'\. Give a function"):
        DeepMLPRegressor().fit(lambda path: [np.zeros((4, 2))], np.zeros(4))


def test_a_score_without_targets_says_how_to_give_them(tmp_path):
    path = write(make_table(20), tmp_path / "a.parquet", ["t"])
    model = DeepMLPRegressor(max_iter=1).fit(path, "t")
    with pytest.raises(ValueError, match=r"requires y to be passed.* Give the name of a column"):
        model.score(path)


def test_paths_that_can_be_read_once_are_told_to_be_a_list(tmp_path):
    with pytest.raises(ValueError, match=r"If X gives paths, write list\(X\)"):
        DeepMLPClassifier().fit(tmp_path.glob("*"), "y")


@pytest.mark.parametrize("X", ["a.parquet", ["a.parquet", "b.parquet"]])
def test_names_of_files_beside_a_name_of_y_are_told_to_be_paths(X):
    with pytest.raises(ValueError, match=r"If X names a file, write pathlib\.Path\(X\)"):
        DeepMLPRegressor().fit(X, "y")


def test_a_column_that_a_data_frame_lacks_is_named():
    with pytest.raises(ValueError, match=r"data frame given as X has no column 'z'; its columns"):
        DeepMLPClassifier().fit(make_table(20), "z")


def test_text_where_a_table_is_expected_is_told_to_be_a_path():
    with pytest.raises(TypeError, match=r"For the samples of a file write pathlib.Path"):
        DeepMLPClassifier().fit("samples.parquet", [0, 1])


@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("missing.parquet", FileNotFoundError, "which does not exist"),
        ("notes.doc", ValueError, r"format of .*notes.doc.* is unknown: files of tables end with"),
    ],
)
def test_files_that_cannot_be_read_are_named(name, error, match, tmp_path):
    if name == "notes.doc":
        (tmp_path / name).write_text("text")
    with pytest.raises(error, match=match):
        DeepMLPClassifier().fit(tmp_path / name, "y")


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz"])
def test_a_file_of_another_format_than_its_ending_says_is_named(name, tmp_path):
    (tmp_path / name).write_bytes(b"no table")
    with pytest.raises(ValueError, match=rf"{name}', which cannot be read as .* Give a file of"):
        DeepMLPClassifier().fit(tmp_path / name, "y")


def test_files_of_two_formats_are_refused(tmp_path):
    table = make_table(20)
    table.to_csv(tmp_path / "a.csv")
    paths = [tmp_path / "a.csv", write(table, tmp_path / "b.parquet", ["y"])]
    with pytest.raises(ValueError, match=r"several formats: csv, parquet"):
        DeepMLPClassifier().fit(paths, "y")


def test_errors_of_columns_and_lengths_say_what_came(tmp_path):
    table = make_table(50)
    path = write(table, tmp_path / "a.parquet", ["y"])
    with pytest.raises(ValueError, match=r"has no column 'z'; its columns are 'x0', 'x1'"):
        DeepMLPClassifier().fit(path, "z")
    with pytest.raises(ValueError, match=r"y has 49 values.* has at least 50 samples"):
        DeepMLPClassifier().fit(path, table.y[:49])
    with pytest.raises(ValueError, match=r"y has 51 values.* has 50 samples. Give one for each"):
        DeepMLPClassifier().fit(path, [*table.y, "yes"])
    with pytest.raises(
        ValueError, match="'y' is taken for the name of a column, but X is a ndarray"
    ):
        DeepMLPClassifier().fit(np.zeros((4, 2)), "y")
    with pytest.raises(ValueError, match=r"'y' is taken for the name.* callable given as X has no"):
        DeepMLPClassifier().fit(lambda: [np.zeros((4, 2))], "y")


def test_errors_of_chunks_say_what_to_give():
    X, y = np.zeros((10, 2)), np.arange(10.0)
    with pytest.raises(TypeError, match=r"must return an iterator of chunks.*it returned float"):
        DeepMLPRegressor().fit(lambda: 1.0)
    with pytest.raises(
        ValueError, match="y is given beside X, and the chunks of X bring their own"
    ):
        DeepMLPRegressor().fit(lambda: [(X, y)], y)
    with pytest.raises(ValueError, match=r"got a tuple of 4"):
        DeepMLPRegressor().fit(lambda: [(X, y, y, y)])
    with pytest.raises(ValueError, match=r"has no samples. Give at least one"):
        DeepMLPRegressor().fit(lambda: [])


def test_a_source_that_shrinks_is_named():
    chunks = [[(np.ones((5, 2)), np.ones(5))] * 2]
    model = DeepMLPRegressor(max_iter=1).fit(lambda: chunks[0])
    assert len(model.predict(lambda: [np.ones((5, 2))] * 3)) == 15


def test_an_error_within_a_source_says_in_which_chunk_it_is():
    X = np.ones((10, 2))
    bad = X.copy()
    bad[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"infinity") as caught:
        DeepMLPRegressor().fit(lambda: [(X, X[:, 0]), (bad, X[:, 0])])
    assert "in the chunk that begins with sample 10" in "".join(caught.value.__notes__)


def test_other_methods_refuse_a_path():
    from sknn.preprocessing import TabularEncoder

    with pytest.raises(TypeError, match=r"the path of a file\. fit, score and"):
        TabularEncoder().fit(Path("samples.parquet"))


# --- autoencoders, whose target is the table itself


@pytest.mark.parametrize("cls", [AutoencoderTransformer, AutoencoderOutlierDetector])
def test_an_autoencoder_of_a_small_file_is_bit_for_bit_that_of_a_frame(cls, tmp_path):
    table = make_table(N_SMALL)
    path = write(table, tmp_path / "small.parquet", [])
    expected = cls(hidden_layer_sizes=(8,), max_iter=2, random_state=0).fit(table[FEATURES])
    model = cls(hidden_layer_sizes=(8,), max_iter=2, random_state=0).fit(path)
    np.testing.assert_array_equal(
        model.score_samples(table[FEATURES]), expected.score_samples(table[FEATURES])
    )
    np.testing.assert_array_equal(model.score_samples(path), expected.score_samples(path))


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "kind": "masked"}])
def test_an_autoencoder_of_a_large_file_reconstructs_as_that_of_a_frame(params, folder, large):
    path, columns = folder / "t.parquet", [*FEATURES, "t"]
    model = AutoencoderTransformer(8, (16,), max_iter=1, random_state=0, **params)
    expected = clone(model).fit(large[columns])
    model.fit(path)
    assert model.score(large[columns]) == pytest.approx(expected.score(large[columns]), rel=0.1)
    codes = model.transform(path)
    assert codes.shape == (N_SAMPLES, 8)
    np.testing.assert_allclose(codes, model.transform(large[columns]), rtol=1e-5, atol=1e-6)
    numbers = model._codec.encoder._numeric.scale.center
    np.testing.assert_allclose(numbers[:N_NUMBERS], large[FEATURES[:N_NUMBERS]].mean(), atol=1e-9)


def test_a_detector_of_a_large_file_finds_what_that_of_a_frame_finds(folder, large):
    path, columns = folder / "t.parquet", [*FEATURES, "t"]
    model = AutoencoderOutlierDetector(max_iter=1, random_state=0).fit(path)
    strange = large[columns].head(50).copy()
    strange[FEATURES[:N_NUMBERS]] *= 20
    labels = model.predict(pd.concat([large[columns].head(500), strange]))
    assert np.mean(labels[:500] == 1) > 0.8
    assert np.all(labels[500:] == -1)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_samples_without_labels_may_be_a_file(library, tmp_path):
    pl = pytest.importorskip(library)
    table = make_table(N_SMALL)
    path = write(table, tmp_path / "rest.parquet", [])
    autoencoder = AutoencoderTransformer(3, (5,), max_iter=1, random_state=0)
    model = DeepMLPClassifier((5,), pretrained=autoencoder, max_iter=1, random_state=0)
    few, rest = table[FEATURES].head(50), table[FEATURES]
    if library == "polars":
        few, rest = pl.from_pandas(few), pl.from_pandas(rest)
    expected = clone(model).fit(few, table.y[:50], X_unlabelled=rest)
    model.fit(few, table.y[:50], X_unlabelled=path)
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])


@pytest.mark.parametrize("seed", [0, None])
def test_a_fit_on_a_file_that_fails_goes_on_from_its_checkpoint(seed, folder, tmp_path):
    epochs = []

    def fail_once(row):
        epochs.append(row["loss"])
        if len(epochs) == 2:
            raise RuntimeError("the power fails")

    params = {"max_iter": 3, "random_state": seed, "checkpoint": tmp_path}
    model = DeepMLPRegressor(**params, checkpoint_every=1, callbacks=[fail_once])
    with pytest.raises(RuntimeError, match="the power fails"):
        model.fit(folder / "t.parquet", "t")
    model.fit(folder / "t.parquet", "t")
    assert len(epochs) == 4  # the second epoch is gone through again
    assert epochs[2] == epochs[1]
    if seed == 0:
        whole = DeepMLPRegressor(max_iter=3, random_state=0).fit(folder / "t.parquet", "t")
        np.testing.assert_array_equal(model.coefs_[0], whole.coefs_[0])
