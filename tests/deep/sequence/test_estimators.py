"""Networks for sequences: what they take, what they refuse, and how they train."""

import signal
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sknn import SequenceCNNClassifier, SequenceCNNRegressor
from sknn.datasets import make_motif_sequences
from sknn.deep.parts._preparation import Circumstances
from sknn.deep.sequence._network import choose_training
from sknn.preprocessing import DNAOneHotEncoder, reverse_complement

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
QUICK = {"n_filters": 8, "max_iter": 2, "random_state": 0}


@pytest.fixture(scope="module")
def planted():
    X, y, _ = make_motif_sequences(120, length=24, motif="CGACCGA", random_state=0)
    return X, y


def fitted(X, y, **params):
    return SequenceCNNClassifier(**{**QUICK, **params}).fit(X, y)


FORMS = {
    "list": list,
    "tuple": tuple,
    "lower case": np.char.lower,
    "bytes": lambda X: X.astype("S"),
    "objects": lambda X: X.astype(object),
    "series": pd.Series,
    "frame": lambda X: pd.DataFrame({"sequence": X}),
    "polars": pl.Series,
    "polars frame": lambda X: pl.DataFrame({"sequence": X}),
    "column": lambda X: X[:, None],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_strings_may_come_in_any_form(planted, form):
    X, y = planted
    expected = fitted(X, y)
    model = fitted(form(X), y)
    np.testing.assert_array_equal(model.decision_function(form(X)), expected.decision_function(X))
    assert model.n_features_in_ == 1


def test_encoded_and_flat_arrays_are_the_same_as_strings(planted):
    X, y = planted
    expected = fitted(X, y).decision_function(X)
    encoded = DNAOneHotEncoder().fit_transform(X)
    np.testing.assert_array_equal(fitted(encoded, y).decision_function(encoded), expected)
    flat = encoded.reshape(len(X), -1)
    np.testing.assert_array_equal(fitted(flat, y, length=24).decision_function(flat), expected)
    whole = encoded.astype(np.uint8)
    np.testing.assert_array_equal(fitted(whole, y).decision_function(whole), expected)


def test_a_pipeline_with_the_encoder_is_the_same_as_strings(planted):
    X, y = planted
    pipeline = make_pipeline(DNAOneHotEncoder(), SequenceCNNClassifier(**QUICK)).fit(X, y)
    np.testing.assert_array_equal(pipeline.predict_proba(X), fitted(X, y).predict_proba(X))


def test_a_grid_search_over_strings_finds_the_better_network(planted):
    X, y = planted
    grid = {"kernel_size": [1, 7]}
    model = SequenceCNNClassifier(n_filters=16, max_iter=40, random_state=0)
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert search.best_params_ == {"kernel_size": 7}


def test_numbers_in_a_table_are_positions_of_one_channel():
    X = np.random.RandomState(0).normal(size=(60, 5))
    model = SequenceCNNRegressor(max_iter=60, random_state=0).fit(X, X[:, 1])
    assert model.filters_.shape == (256, 5, 1)
    assert model.score(X, X[:, 1]) > 0.8


def test_filters_of_letters_start_with_few_windows_that_fire(planted):
    """Of numbers, which may be small, none might."""
    X, y = planted
    assert fitted(X, y).module_.options.first_bias == -0.5
    protein = fitted(["MKVLAAGIVGLLWY" * 2] * 9 + ["W" * 28], [0] * 9 + [1], alphabet="protein")
    assert protein.module_.options.first_bias == pytest.approx(-0.5 * np.sqrt(4 / 20))
    table = np.random.RandomState(0).normal(size=(30, 12))
    assert fitted(table, [0, 1] * 15).module_.options.first_bias == 0


def test_other_channels_need_no_alphabet():
    X = np.random.RandomState(0).normal(size=(40, 20, 3))
    y = X[:, 3:6, 1].sum(axis=1) > 0
    model = fitted(X, y, alphabet=None)
    assert model.filters_.shape == (8, 11, 3)
    np.testing.assert_allclose(model.saliency(X).shape, X.shape)


def test_sequences_of_other_lengths_are_filled_up_or_cut(planted):
    X, y = planted
    model = fitted(X, y)
    long = [s + "ACGT" for s in X]
    np.testing.assert_array_equal(model.decision_function(long), model.decision_function(X))
    assert np.isfinite(model.decision_function([s[:15] for s in X])).all()


@pytest.mark.parametrize("alphabet", ["rna", "protein"])
def test_other_alphabets_are_read(alphabet):
    letters = list({"rna": "ACGU", "protein": "ACDEFGHIKLMNPQRSTVWY"}[alphabet])
    random_state = np.random.RandomState(0)
    X = ["".join(row) for row in random_state.choice(letters, (40, 15))]
    model = fitted(X, [0, 1] * 20, alphabet=alphabet)
    assert model.filters_.shape[2] == len(letters)
    assert model.module_.bank.n_strands == 1


@pytest.mark.parametrize(("n_samples", "n_strands", "stops"), [(1999, 2, False), (2000, 2, True)])
def test_many_sequences_of_dna_are_read_on_both_strands_and_held_out(n_samples, n_strands, stops):
    X, y, _ = make_motif_sequences(n_samples, length=20, motif="CGACC", random_state=0)
    X = np.where(np.arange(n_samples) % 4 < 2, X, reverse_complement(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = fitted(X, y, n_filters=2)
    assert model.module_.bank.n_strands == n_strands
    assert (model.validation_loss_curve_ is not None) == stops


@pytest.fixture(scope="module")
def two_strands():
    """Return sequences with a motif, and whether it is on the given strand; all have one."""
    X, y, _ = make_motif_sequences(800, length=30, motif="CGACCGAACT", random_state=0)
    X, strand = X[y == 1], np.arange((y == 1).sum()) % 2
    return np.where(strand, X, reverse_complement(X)), strand


STRANDS = {"n_filters": 8, "max_iter": 4, "early_stopping": True, "random_state": 0}


def test_held_out_samples_say_that_the_strand_matters(two_strands):
    X, strand = two_strands
    alone = SequenceCNNClassifier(reverse_complement=False, **STRANDS).fit(X, strand)
    auto = SequenceCNNClassifier(**STRANDS).fit(X, strand)
    np.testing.assert_array_equal(auto.predict_proba(X), alone.predict_proba(X))
    assert auto.module_.bank.n_strands == 1
    given = SequenceCNNClassifier(**STRANDS)
    given.fit(X[:300], strand[:300], X_val=X[300:], y_val=strand[300:])
    assert given.module_.bank.n_strands == 1
    for params in ({"early_stopping": False}, {"reverse_complement": True}):
        model = SequenceCNNClassifier(**STRANDS | params).fit(X, strand)
        assert model.module_.bank.n_strands == 2


def test_both_strands_are_read_where_one_is_not_better(two_strands):
    X, strand = two_strands
    labels = np.random.RandomState(0).permutation(strand)
    model = SequenceCNNClassifier(**STRANDS).fit(X, labels)
    assert model.module_.bank.n_strands == 2
    assert not model.module_.options.same_on_strands


def test_a_trial_of_strands_changes_nothing_else(two_strands):
    """Neither the order of the samples nor the first weights, nor what callbacks see."""
    X, strand = two_strands
    labels, epochs = np.random.RandomState(0).permutation(strand), []
    params = STRANDS | {"callbacks": [epochs.append], "position_bias": False, "n_iter_no_change": 9}
    auto = SequenceCNNClassifier(**params).fit(X, labels)
    assert len(epochs) == 4
    both = SequenceCNNClassifier(reverse_complement=True, **params).fit(X, labels)
    np.testing.assert_array_equal(auto.predict_proba(X), both.predict_proba(X))


def test_ctrl_c_in_the_trial_of_strands_leaves_nothing_half_fitted(two_strands):
    X, strand = two_strands
    asked = iter([*[False] * 5, True])  # the trial comes first

    def loss(output, target):
        if next(asked, False):
            signal.raise_signal(signal.SIGINT)
        return (output - target).square().mean(1)

    model = SequenceCNNRegressor(loss=loss, **STRANDS)
    with pytest.warns(UserWarning, match="interrupted by user"), pytest.raises(KeyboardInterrupt):
        model.fit(X, strand)
    assert not [name for name in vars(model) if name.endswith("_")]
    expected = model.fit(X, strand).predict(X)
    asked = iter([True])
    with pytest.warns(UserWarning, match="interrupted by user"), pytest.raises(KeyboardInterrupt):
        model.fit(X[:300], strand[:300])
    np.testing.assert_array_equal(model.predict(X), expected)


def test_the_strand_of_a_regression_is_chosen_too(two_strands):
    X, strand = two_strands
    model = SequenceCNNRegressor(**STRANDS, dropout=0.0).fit(X, 10.0 * strand)
    assert model.module_.bank.n_strands == 1


@pytest.mark.parametrize(
    ("params", "n_members"),
    [
        ({"n_filters": 8}, 1),
        ({"n_filters": 100}, 2),
        ({}, 8),
        ({"n_filters": 512}, 8),
        ({"n_filters": 128}, 4),
        ({"n_filters": 67}, 1),
        ({"solver": "lbfgs"}, 1),
        ({"n_filters": 8, "n_members": 4}, 4),
    ],
    ids=str,
)
def test_filters_are_shared_among_members(planted, params, n_members):
    X, y = planted
    model = SequenceCNNClassifier(**params, max_iter=1, random_state=0).fit(X, y)
    assert model.module_.options.n_members == n_members
    n_filters = params.get("n_filters", 256)
    assert len(model.filters_) == model.transform(X[:2]).shape[1] == n_filters
    n_inputs = 2 * n_filters // n_members  # maxima and means
    axis = () if n_members == 1 else (n_members,)
    assert [w.shape for w in model.coefs_] == [(*axis, n_inputs, 32), (*axis, 32, 1)]


def test_weights_of_members_can_be_set(planted):
    X, y = planted
    model = fitted(X, y, n_members=2)
    model.coefs_[-1] = np.zeros((2, 32, 1))
    model.intercepts_[-1] = np.array([1.0, 2.0]).reshape(2, 1, 1)
    np.testing.assert_allclose(model.decision_function(X), 1.5)  # the mean of both


def test_filters_that_members_cannot_share_are_refused(planted):
    with pytest.raises(ValueError, match=r"n_members=3 .* share n_filters=8 .* such as 9"):
        fitted(*planted, n_members=3)


def test_the_penalty_is_the_mean_over_members_as_the_loss_is():
    circumstances = Circumstances(100, 100.0, is_incremental=False, has_validation=False)
    params = {"alpha": 1.0, "early_stopping": False}
    assert choose_training(params, circumstances, n_members=4)["alpha"] == 0.25


@pytest.mark.parametrize(
    "params", [{}, {"n_conv_layers": 2}, {"pooling": 5}, {"batch_norm": True}], ids=str
)
def test_reverse_complements_have_the_same_probability_where_it_is_asked(planted, params):
    X, y = planted
    X = np.array([s[: 12 + i % 13] for i, s in enumerate(X)])  # of 12 to 24 letters
    other = reverse_complement(X)
    model = fitted(X, y, kernel_size=7, reverse_complement=True, **params)
    np.testing.assert_allclose(model.predict_proba(other), model.predict_proba(X), rtol=1e-5)
    usual = fitted(X, y, kernel_size=7, **params)
    assert np.abs(usual.predict_proba(other) - usual.predict_proba(X)).max() > 1e-3


def test_few_sequences_are_trained_on_to_the_end_without_a_warning(planted):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = fitted(*planted, max_iter=12)
    assert model.n_iter_ == 12
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        fitted(*planted, early_stopping=False)


@pytest.mark.parametrize("n_conv_layers", [1, 2])
def test_lbfgs_trains_at_the_other_defaults_and_stops_by_itself(planted, n_conv_layers):
    """It can follow no dropout and no batch normalization, so 'auto' leaves both out."""
    X, y = planted
    model = SequenceCNNClassifier(
        8, 7, n_conv_layers=n_conv_layers, solver="lbfgs", max_iter=500, random_state=0
    ).fit(X, y)
    assert model.score(X, y) == 1.0
    assert model.n_iter_ < 200
    assert not any(layer.kind in ("Dropout", "BatchNorm1d") for layer in model.module_.describe())
    with pytest.raises(ValueError, match=r"'Dropout' of the network.*leave out dropout"):
        fitted(X, y, solver="lbfgs", dropout=0.3)


def test_validation_samples_stop_training_by_their_loss(planted):
    X, y = planted
    model = SequenceCNNClassifier(n_filters=8, max_iter=200, random_state=0)
    model.fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])
    assert model.n_iter_ < 200
    losses = model.validation_loss_curve_
    assert model.best_iter_ == 1 + int(np.argmin(losses))
    assert model.best_validation_score_ == -min(losses)


def test_row_weights_and_class_weights_are_taken_for_strings(planted):
    X, y = planted
    weight = np.where(np.arange(len(y)) < 60, 1.0, 0.0)
    model = SequenceCNNClassifier(**QUICK).fit(X, y, sample_weight=weight)
    expected = fitted(X[:60], y[:60])
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), rtol=1e-5)
    heavy = fitted(X, y, class_weight={0: 1, 1: 50}, max_iter=10)
    assert heavy.predict(X).mean() > y.mean()


def test_partial_fit_goes_on(planted):
    X, y = planted
    model = SequenceCNNClassifier(**QUICK)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1])
    assert len(model.loss_curve_) == 3


def test_the_same_seed_gives_the_same_network_and_clones_and_pickles_agree(planted):
    import pickle

    X, y = planted
    model = fitted(X, y)
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(model.decision_function(X), again.decision_function(X))
    kept = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.decision_function(X), kept.decision_function(X))


def test_nested_arguments_reach_solver_and_loss(planted):
    model = fitted(*planted, loss="focal", loss__gamma=3.0)
    assert clone(model).get_params()["loss__gamma"] == 3.0
    assert model.loss_ < fitted(*planted, loss="focal", loss__gamma=1.0).loss_
    with pytest.raises(TypeError, match="unexpected keyword argument 'module__width'"):
        SequenceCNNClassifier(module__width=3)


BAD = {
    "empty sequence": (["ACGT" * 5, "", "ACGT" * 5], {}, "Sequence 1 is empty"),
    "unknown letter": (
        ["ACGT" * 5, "ACG!" * 5, "ACGT" * 5],
        {"handle_unknown": "error"},
        "Sequence 1 has '!' at position 3",
    ),
    "too short": (["ACGT"] * 3, {}, "Sequences have 4 positions, fewer than kernel_size=11"),
    "mixed types": (["ACGT" * 5, 3, "ACGT" * 5], {}, "Sequence 1 is 3, of type 'int'"),
    "missing": (["ACGT" * 5, None, "ACGT" * 5], {}, "Sequence 1 is None.*Drop the samples"),
    "number first": ([3, "ACGT" * 5, "ACGT" * 5], {}, "Sequence 0 is 3, of type 'int'"),
    "missing first": ([np.nan, "ACGT" * 5, "ACGT" * 5], {}, "Sequence 0 is nan.*Drop the samples"),
    "letters apart": ([list("ACGT" * 5)] * 3, {}, "Join the letters of each sequence"),
    "two columns": (
        np.array([["ACGT", 1]] * 3, dtype=object),
        {},
        "Pass the column of sequences alone",
    ),
    "wrong depth": (np.ones((3, 20, 5)), {}, "Expected encoded sequences of depth 4.*got depth 5"),
    "channels first": (np.ones((3, 4, 20)), {}, "got depth 20.*Move the channels to the last"),
    "wrong length": (np.ones((3, 20, 4)), {"length": 9}, "length=9, but X has shape"),
    "no multiple": (
        np.ones((3, 21)),
        {"length": 5},
        "21 columns, which is no multiple of length=5",
    ),
    "four axes": (np.ones((3, 20, 4, 2)), {}, "Expected strings, or an array of shape"),
    "single string": ("ACGT" * 5, {}, "got the single text 'ACGTACGT"),
    "no alphabet": (["ACGT" * 5] * 3, {"alphabet": None}, "X holds strings, but alphabet is None"),
    "wrong alphabet": (["QQQQ" * 5] * 3, {}, "No letter of X is in the alphabet 'ACGT'"),
    "no other strand": (
        ["MKVLAAGIVGLL" * 2] * 3,
        {"alphabet": "protein", "reverse_complement": True},
        "reverse_complement=True is for sequences of DNA or RNA",
    ),
}


@pytest.mark.parametrize(("X", "params", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_before_training(X, params, message):
    callbacks = [lambda epoch: pytest.fail("training began")]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        SequenceCNNClassifier(**params, callbacks=callbacks).fit(X, [0, 1, 0])


def test_another_form_than_in_fit_is_refused(planted):
    X, y = planted
    encoded = DNAOneHotEncoder().fit_transform(X)
    with pytest.raises(ValueError, match="X holds numbers now, but held strings in fit"):
        fitted(X, y).predict(encoded)
    with pytest.raises(ValueError, match="X holds strings now, but held numbers in fit"):
        fitted(encoded, y).predict(X)
    with pytest.raises(ValueError, match="Expected sequences of 24 positions with 4 numbers"):
        fitted(encoded, y).predict(encoded[:, :, :3])


def test_predictions_need_sequences_in_a_list(planted):
    X, y = planted
    model = fitted(X, y)
    with pytest.raises(ValueError, match=f"got the single text '{X[0]}'"):
        model.predict(np.str_(X[0]))
    with pytest.raises(ValueError, match=r"0 sample\(s\); at least one sequence is required"):
        model.predict([])


def test_flat_one_hot_sequences_without_a_length_are_warned_of(planted):
    X, y = planted
    flat = DNAOneHotEncoder(flatten=True).fit_transform(X)
    with pytest.warns(UserWarning, match="X looks like flattened one-hot sequences.*length=24"):
        fitted(flat, y)


def test_numbers_of_letters_are_warned_of(planted):
    X, y = planted
    numbers = np.array([["ACGT".index(letter) for letter in s] for s in X])
    for array in (numbers, numbers.astype(float)):
        with pytest.warns(UserWarning, match="X looks like numbers of letters, 0 to 3.*one-hot"):
            fitted(array, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fitted(numbers, y, alphabet=None)
        fitted(numbers + 0.5, y)


@pytest.mark.parametrize("model", ["dna", "rna"])
def test_dna_and_rna_are_read_by_each_others_networks(planted, model):
    X, y = planted
    rna = [s.replace("T", "U") for s in X]
    own, other = (X, rna) if model == "dna" else (rna, X)
    network = fitted(own, y, alphabet=model)
    np.testing.assert_array_equal(network.decision_function(other), network.decision_function(own))
    if model == "dna":
        with pytest.raises(ValueError, match=r"Most letters of X.*are not in the alphabet"):
            network.predict(["MKVLWQPFIE" * 3])
        with pytest.warns(UserWarning, match="1 of 1 sequences have more than the 24 positions"):
            network.predict(["ACGT" * 7])


class Killer(Callback):
    """Kills the network as some of its first epochs begin, and counts how often it was revived."""

    def __init__(self, n_deaths):
        self.n_deaths = n_deaths

    def on_train_begin(self, net, **kwargs):
        self.n_killed_ = self.n_revived_ = 0
        self.was_killed_ = False

    def on_epoch_begin(self, net, **kwargs):
        bias = net.module_.bank.bias.data
        self.n_revived_ += self.was_killed_ and bool((bias > -1).all())
        self.was_killed_ = self.n_killed_ < self.n_deaths
        if self.was_killed_:
            self.n_killed_ += 1
            bias.fill_(-1e6)


@pytest.mark.parametrize("n_deaths", [1, 3])
def test_a_dead_network_gets_new_weights(planted, n_deaths):
    X, y = planted
    killer = Killer(n_deaths)
    model = fitted(X, y, max_iter=40, callbacks=[killer])
    assert killer.n_revived_ == killer.n_killed_ == n_deaths
    assert model.score(X, y) > 0.9


def test_a_network_that_stays_dead_is_warned_of(planted):
    killer = Killer(n_deaths=6)
    with pytest.warns(ConvergenceWarning, match="The network is dead.*Lower learning_rate_init"):
        model = fitted(*planted, max_iter=6, callbacks=[killer])
    assert killer.n_revived_ < killer.n_killed_
    assert np.ptp(model.decision_function(planted[0])) == 0


def test_constant_targets_are_no_death(planted):
    X, _ = planted
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = SequenceCNNRegressor(**QUICK).fit(X, np.full(len(X), 3.0))
    np.testing.assert_allclose(model.predict(X), 3.0, atol=0.5)


def test_memory_of_predictions_is_bounded_by_the_windows(planted):
    X, y = planted
    model = fitted(X, y, kernel_size=7, reverse_complement=True)
    assert model.net_.widest_ == (24 - 7 + 1) * 8 * 2
    assert model.net_.row_products_ > model.net_.widest_ * 7 * 4
    rows = model.net_.count_chunk_samples(2**17)
    whole = model.decision_function(np.resize(X, rows + 7))
    np.testing.assert_allclose(whole[:120], model.decision_function(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first_activation", ["relu", "exp", "linear"])
@pytest.mark.parametrize("pooling", ["max", "mean", "maxmean", 2])
def test_bfloat16_trains_every_pooling_as_float32_does(planted, pooling, first_activation):
    X, y = planted
    params = {"pooling": pooling, "first_activation": first_activation, "dropout": 0.0}
    params.update(reverse_complement=False, batch_norm=False)
    coarse = fitted(X, y, dtype="bfloat16", **params).decision_function(X)
    fine = fitted(X, y, dtype="float32", **params).decision_function(X)
    np.testing.assert_allclose(coarse, fine, atol=0.1)


@pytest.mark.parametrize("make", ["array", "chunked_array"])
def test_columns_of_pyarrow_are_read(planted, make):
    pa = pytest.importorskip("pyarrow")
    X, y = planted
    column = pa.array(X.tolist()) if make == "array" else pa.chunked_array([X[:50], X[50:]])
    expected = fitted(X, y).decision_function(X)
    np.testing.assert_array_equal(fitted(column, y).decision_function(column), expected)


def halve_squares(output, target):
    return ((output - target) ** 2).sum(1) / 2


def test_members_learn_by_a_loss_of_ones_own_as_by_that_of_the_table(planted):
    X, y = planted
    params = {**QUICK, "n_members": 2, "max_iter": 4, "dtype": "float64"}
    own, table = (
        SequenceCNNRegressor(loss, **params).fit(X, y + 0.5, 1.0 + y)
        for loss in (halve_squares, "squared_error")
    )
    np.testing.assert_allclose(own.loss_curve_, table.loss_curve_, rtol=1e-10)
    assert own.loss_curve_[-1] < own.loss_curve_[0]
