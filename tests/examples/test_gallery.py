"""Every page of the gallery runs without a warning, teaches one thing, and shows what it says."""

import itertools
import re
import sys
import warnings
from types import ModuleType

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from sknn.datasets import load_fashion_mnist
from tests.helpers import ROOT

PAGES = sorted((ROOT / "examples").glob("*/plot_*.py"))


def _errors_by_units(space):
    ours, theirs = (space["errors"][name] for name in ("DeepMLPRegressor", "MLPRegressor"))
    assert ours == sorted(ours, reverse=True)
    assert ours[-1] < 0.5
    assert theirs[-1] < 0.5 < theirs[0]


def _lecture(space):
    assert [layer.n_parameters for layer in space["mlp"].summary().layers] == [
        235_500,
        30_100,
        1_010,
    ]
    assert space["history"]["validation_score"].iloc[-1] > 0.8
    right = np.mean(space["predicted"] == space["test"].target)
    assert right > 0.8


def _primer(space):
    assert space["accuracy"] > 0.99
    assert space["found"] > 0.95
    assert {m.consensus for m in space["motifs"][:4]} & {"CGACCGAACTCC", "GGAGTTCGGTCG"}
    assert space["bits"][0] > space["bits"][1] + 4


def _places(space):
    table = space["table"]
    keeps = table["pooling"] == 4
    assert table["accuracy"][~keeps].max() < table["accuracy"][keeps].min() - 0.1
    assert space["accuracy"] > 0.9


def _binding(space):
    assert space["auc"] > 0.94
    assert "JUND" in space["answer"].name
    assert "TGAGTCA" in space["found"].consensus or "TGACTCA" in space["found"].consensus
    assert space["matches"].n_control_matched == 0
    bound = space["site"] & (space["test"]["bound"] == 1)
    assert bound.sum() > 5 * (space["site"] & ~bound).sum()
    assert any("TCTCTC" in m.consensus or "GAGAGA" in m.consensus for m in space["motifs"][:10])


def _variants(space):
    assert space["auc"] > 0.99  # of variants in sites against those outside
    assert len(space["motifs"]) > 0
    assert space["motifs"][0].consensus in (space["MOTIF"], "TGCTGACTCA")
    assert (space["negatives"]["gc"] - 0.5).abs().mean() < 0.1
    assert space["ranked"]["effect"].iloc[0] < -2
    assert space["saliency"][0] > 1 > 0 > space["saliency"][1]


def _frames(space):
    ours, errors = space["errors"]["DeepMLPRegressor"], space["errors"]
    assert ours <= 1.05 * min(errors["boosted trees"], errors["MLPRegressor"])
    assert ours < 0.25 * errors["a constant"]
    assert space["correlation"] > 0.95
    assert np.isfinite(space["model"].predict(space["new"])).all()


def _rare(table):
    assert table.loc["balanced", "found (recall)"] > 0.75
    assert 0.25 < table.loc["plain", "found (recall)"] < 0.45
    precision = table["right of those (precision)"]
    assert precision["balanced"] < 0.5 * precision["plain"]
    assert np.ptp(table["average precision"]) < 0.06


def _watched(space):
    scores = space["mlp"].history_["validation_score"]
    assert all(score <= 0.96 for score in scores[:-1])
    assert scores[-1] > 0.96
    assert space["patient"].n_iter_ < 300
    accuracy = space["epochs"].groupby("parent_task_id_path")["accuracy"].apply(list)
    relu, logistic = ([accuracy[0, 0, i] for i in folds] for folds in (range(3), range(3, 6)))
    assert np.mean([run[5] for run in relu]) > np.mean([run[-1] for run in logistic]) - 0.01


def _own(scores):
    assert scores["parameters"]["convolutions"] < scores["parameters"]["MLP"]
    assert scores["as they are"]["convolutions"] > scores["as they are"]["MLP"]
    assert scores["moved"]["convolutions"] > scores["moved"]["MLP"] + 0.1


def _kept(space):
    model, again, X = space["model"], space["again"], space["X_test"]
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.allclose(space["by_torch"], model.predict_proba(X))
    assert np.array_equal(space["careful"].predict_proba(X), model.predict_proba(X))
    assert len(space["network"].loss_curve_) == len(space["mlp"].loss_curve_) + 20
    assert space["same"].score(X, space["y_test"]) >= space["score_before"]


def _one_unit(space):
    X, y = space["petals"], space["virginica"]
    unit, signed, augmented = (space[name] for name in ("unit", "signed", "augmented"))
    assert unit.net_input(space["X"])[1] == 0
    assert unit(space["X"]).tolist() == [0, 1, 1]
    assert signed(space["X"]).tolist() == [-1, 0, 1]
    assert np.array_equal(augmented.net_input(space["X"]), unit.net_input(space["X"]))
    assert space["threshold"].score(X, y) >= space["logistic"].score(X, y)
    assert set(space["answers"]["threshold"]) == {0, 1}


def _moved_over(space):
    theirs, ours = space["theirs"], space["ours"]
    assert np.allclose(theirs.loss_curve_, ours.loss_curve_)
    assert max(space["differences"]) < 1e-6
    assert np.allclose(space["table"]["MLPClassifier"], space["table"]["DeepMLPClassifier"])
    chosen = [search.best_params_ for search in space["searches"].values()]
    assert chosen[0] == chosen[1]


def _fence(space):
    accuracies, losses = space["accuracies"], space["network"].loss_curve_
    assert accuracies[4] < 0.8 < 0.95 < accuracies[-1]
    assert losses[19] - losses[39] < 0.1 < losses[39] - losses[79]
    border = space["pictures"][80] > 0.5  # a fence: the ring's side goes all around
    assert border[[0, -1]].all()
    assert border[:, [0, -1]].all()
    assert not border[60, 60]


def _codes(space):
    errors, neighbours, noise = (space[name] for name in ("errors", "neighbours", "noise"))
    assert errors["autoencoder"] < 0.7 * errors["PCA"]
    assert neighbours["autoencoder"] > neighbours["PCA"] + 0.1
    assert noise["denoised"] < 0.25 * noise["noisy image"]
    known = KNeighborsClassifier(1).fit(space["X_train"], space["digit_train"])
    assert len(set(known.predict(space["drawn"]))) >= 8, "the decoder draws few kinds of digits"
    assert set(space["table"]["diagnosis"][:10]) == {"malignant"}
    assert space["auc"] > 0.9
    gains = 1 - space["curves"]["pretrained"] / space["curves"]["at random"]
    assert gains[[20, 40]].mean() > 0.05
    assert gains[[20, 40]].mean() > gains[[80, 160]].mean()


def _exported(space):
    assert np.array_equal(space["labels"], space["network"].predict(space["test"]))
    assert space["difference"] < 1e-9
    assert space["network"].score(space["test"], space["age"][3000:]) > 0.85


def _without_tuning(space):
    ours, trees, linear = space["errors"].mean()
    assert ours < 0.95 * trees
    assert ours < 1.02 * linear
    assert set(space["importances"].nlargest(2).index) == {"bmi", "s5"}


#: page -> whether its last sentence is true of what it computed
SEEN = {
    "plot_1_neuron_and_gates": lambda s: (
        s["conjunction"](s["truth_table"](s["AND"]()).iloc[:, :2]).tolist() == [0, 0, 0, 1]
        and s["negation"]([[0], [1]]).tolist() == [1, 0]
    ),
    "plot_2_xor": lambda s: (
        s["n_errors"] == {"AND": 0, "OR": 0, "XOR": 1}
        and s["network"].predict(s["X"]).tolist() == [0, 1, 1, 0]
    ),
    "plot_3_steps_and_activations": lambda s: all(
        not s["ACTIVATIONS"][name].derivative(s["t"]).any() for name in ("heaviside", "sign")
    ),
    "plot_4_threshold_logic_unit": lambda s: _one_unit(s) is None,
    "plot_1_perceptron": lambda s: (
        s["perceptron"].errors_curve_[1:4] == [0, 0, 0]
        and min(s["rules"]["one sample at a time"].errors_curve_[10:]) > 0
    ),
    "plot_2_multiclass": lambda s: (
        0.9 < s["last"].score(s["X_test"], s["y_test"]) < s["layer"].score(s["X_test"], s["y_test"])
    ),
    "plot_3_multilabel": lambda s: (s["predicted"] == s["Y_test"]).mean(axis=0).argmin() == 1,
    "plot_1_forward_pass": lambda s: (
        np.allclose(s["network"].predict_proba([[1.0, 2.0]])[0], [s["o6"], s["o7"]])
        and (s["n_weights"], s["n_biases"]) == (12, 5)
    ),
    "plot_2_weight_and_bias": lambda s: (
        s["curves"]["their difference"].max() > 0.99
        and abs(s["curves"]["their difference"][[0, -1]]).max() < 0.01
    ),
    "plot_3_universal_approximation": lambda s: _errors_by_units(s) is None,
    "plot_4_hidden_units": lambda s: s["mlp"].score(s["X"], s["y"]) > 0.98,
    "plot_5_fashion_mnist": lambda s: _lecture(s) is None,
    "plot_6_pipeline_and_grid_search": lambda s: (
        s["table"]["accuracy"].max() > 0.96 and s["search"].score(s["X_test"], s["y_test"]) > 0.93
    ),
    "plot_7_beside_mlpclassifier": lambda s: _moved_over(s) is None,
    "plot_8_watch_it_learn": lambda s: _fence(s) is None,
    "plot_9_autoencoder": lambda s: _codes(s) is None,
    "plot_1_motif_primer": lambda s: _primer(s) is None,
    "plot_2_splice_and_grid_search": lambda s: _places(s) is None,
    "plot_3_binding_and_jaspar": lambda s: _binding(s) is None,
    "plot_4_genome_to_variants": lambda s: _variants(s) is None,
    "plot_1_data_frames": lambda s: _frames(s) is None,
    "plot_2_imbalance": lambda s: _rare(s["table"]) is None,
    "plot_3_uncertainty": lambda s: (
        all(0.8 < share < 0.97 for shares in s["coverage"].values() for share in shares)
        and (np.diff(s["quantiles"].predict(s["grid"]), axis=1) >= 0).all()
        and s["deviation"][s["X_test"][:, 0] > 8].min() > 25 > 15 > s["deviation"].min()
    ),
    "plot_4_callbacks_and_progress": lambda s: _watched(s) is None,
    "plot_5_own_module": lambda s: _own(s["scores"]) is None,
    "plot_6_saving": lambda s: _kept(s) is None,
    "plot_7_exporting": lambda s: _exported(s) is None,
    "plot_8_tables_without_tuning": lambda s: _without_tuning(s) is None,
    "plot_9_playground_in_class": lambda s: min(s["accuracies"].values()) > 0.75,
}

#: page -> optional packages that it needs
NEEDS = {
    "plot_4_genome_to_variants": ["pyfaidx"],
    "plot_3_binding_and_jaspar": ["memelite"],
    "plot_6_saving": ["skops"],
    "plot_7_exporting": ["onnx", "onnxruntime"],
}


def read_cells(page):
    """Return the cells of a page, each behind as many empty lines as stand before it there."""
    text = page.read_text(encoding="utf-8")
    starts = [0, *(match.start() for match in re.finditer(r"^# %%", text, re.MULTILINE)), len(text)]
    return ["\n" * text.count("\n", 0, a) + text[a:b] for a, b in itertools.pairwise(starts)]


def run_as_sphinx_gallery_does(page, monkeypatch, after_cell):
    """Return the names of a page that ran as ``__main__``, in its folder, without `__file__`.

    `after_cell` is called after each cell, where the gallery takes the figures and closes them.
    """
    main = ModuleType("__main__")
    monkeypatch.chdir(page.parent)
    monkeypatch.setitem(sys.modules, "__main__", main)
    for cell in read_cells(page):
        exec(compile(cell, str(page), "exec"), vars(main))
        after_cell()
    return vars(main)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs_without_a_warning_and_shows_what_it_says(page, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot", reason="the gallery draws with matplotlib")
    if page.stem == "plot_4_callbacks_and_progress":
        pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")
    for package in NEEDS.get(page.stem, ()):
        pytest.importorskip(package, reason=f"{package} is not installed")
    if page.stem == "plot_5_fashion_mnist":
        monkeypatch.setenv("SKNN_EPOCHS", "1")
        try:
            load_fashion_mnist(subset="test", download_if_missing=False)
        except OSError as error:
            pytest.skip(f"Fashion-MNIST is not on this machine: {error}")
    figures, shown = [], set()

    def get_open_figures():
        return [plt.figure(number) for number in plt.get_fignums()]

    def take_figures():
        for figure in get_open_figures():
            empty = [ax for ax in figure.axes if ax.axison and not (ax.has_data() or ax.texts)]
            assert not empty, "an axes is empty where the gallery takes the figure"
            figures.append(figure)
        plt.close("all")

    # A script shows at once what it drew since the last call, in whichever cell.
    monkeypatch.setattr(plt, "show", lambda: shown.update(figures, get_open_figures()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            space = run_as_sphinx_gallery_does(page, monkeypatch, take_figures)
    finally:
        plt.close("all")
    assert figures
    assert shown.issuperset(figures), "the last figures are not shown"
    assert SEEN[page.stem](space)


def test_there_is_a_check_of_every_page():
    assert {page.stem for page in PAGES} == set(SEEN)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_begins_and_ends_with_what_it_teaches(page):
    text = page.read_text(encoding="utf-8")
    title, underline, blank, first = re.match(r'"""\n(.*)\n(=+)\n(\n)(.+)', text).groups()
    assert len(underline) == len(title)
    assert blank
    assert first[0].isupper()
    cells = text.split("\n# %%\n")
    last = cells[-1].rstrip("\n").splitlines()
    assert all(line.startswith("# ") for line in last), "the last cell is to say what was seen"
    assert last[-1].endswith(".")


@pytest.mark.parametrize("folder", sorted({page.parent for page in PAGES}), ids=lambda f: f.name)
def test_each_part_of_the_gallery_says_what_it_is_about(folder):
    assert re.match(r"\d\d_", folder.name)
    title, underline = (folder / "README.rst").read_text(encoding="utf-8").splitlines()[:2]
    assert underline == "-" * len(title)
