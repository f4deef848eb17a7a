"""The benchmark runs to its end and reports in the promised form; times are never looked at."""

import json
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

import sknn
from benchmarks import tabular_pack, tabular_variants
from benchmarks.report import figures, judge
from benchmarks.rows import ROWS, TARGETS, Target
from benchmarks.runner import Outcome
from benchmarks.search import processor_seconds

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run_main(monkeypatch, capsys):
    """Return a function that runs a benchmark in this process, and returns the lines it prints."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        with warnings.catch_warnings():
            import_module(name).main()
        return capsys.readouterr().out.splitlines()

    return run


def outcome(row, threads=1, **values):
    """Return an outcome with these medians."""
    answers = {name: [{"value": value, "steps": 1}] for name, value in values.items()}
    return Outcome(ROWS[row], threads, answers)


@pytest.mark.parametrize("rows", [["a64"], pytest.param(["a64", "g1"], marks=pytest.mark.full)])
def test_quick_run_prints_a_table_and_writes_json(rows, tmp_path):
    out = tmp_path / "results.json"
    chosen = f"--rows={','.join(rows)}"
    options = ["--quick", chosen, "--rounds=2", "--threads=1", f"--out={out}"]
    command = [sys.executable, "-m", "benchmarks", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(rows)
    assert table[0][:6] == ["row", "threads", "sknn", "scikit-learn", "PyTorch", "skorch"]
    assert table[2][0].startswith("(a64)")
    assert table[2][4:6] == ["n/a", "n/a"]
    assert all("µs" in cell for line in table[3:] for cell in line[2:6])
    assert any("the figures mean nothing" in line for line in lines)

    results = json.loads(out.read_text())
    assert {"cpu", "cores", "packages", "load_before", "load_after"} <= results["machine"].keys()
    assert [row["row"] for row in results["rows"]] == rows
    for row in results["rows"]:
        assert tuple(row["contenders"]) == ROWS[row["row"]].contenders
        assert all(len(raw["value"]) == 2 for raw in row["contenders"].values())
    a64 = results["rows"][0]["contenders"]
    assert a64["ours"]["steps"] == a64["sklearn"]["steps"] == [64, 64]
    assert results["targets"] == []


def test_unknown_row_is_refused(run_main, capsys):
    with pytest.raises(SystemExit, match="2"):
        run_main("benchmarks.__main__", "--rows=a,zz")
    assert "unknown ['zz']" in capsys.readouterr().err


def test_quick_run_of_autoencoders_prints_its_tables(run_main):
    lines = run_main("benchmarks.autoencoders", "--quick")
    heads = [line.strip("| ").split(" | ")[:2] for line in lines if line.startswith("| ")]
    assert heads.count(["AUROC", "ours"]) == 2
    assert ["error", "components"] in heads
    assert ["processor time", "samples"] in heads
    assert lines[-1] == "A quick run: the figures mean nothing."


def test_quick_run_of_few_labels_prints_its_table(run_main):
    head, _, line = run_main("benchmarks.few_labels", "--quick", "--parts=images")[:3]
    assert head.startswith("| error | labels | at random | pretrained |")
    assert line.startswith("| digits | 20 |")


@pytest.mark.skipif(torch.cuda.is_available(), reason="would run the whole lecture")
def test_gpu_script_says_that_there_is_no_device(run_main):
    assert run_main("benchmarks.gpu") == [
        "There is no CUDA device that torch can use here; nothing was run."
    ]


def test_gpu_script_runs_on_the_cpu(run_main, tmp_path):
    out = tmp_path / "gpu.json"
    options = ["--quick", "--device=cpu", "--rows=search", f"--out={out}"]
    lines = run_main("benchmarks.gpu", *options)
    assert any(line.startswith("20 networks ") for line in lines)
    assert lines[-1] == "A quick run: the figures mean nothing."
    results = json.loads(out.read_text())["results"]
    assert {name: len(times) for name, times in results["search"].items()} == {"all": 1, "one": 1}


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: f"{t.row}-{t.peer}-{t.threads}")
def test_targets_name_rows_and_contenders(target: Target):
    assert target.peer in ROWS[target.row].contenders
    assert target.threads in (None, 1, 2)


@pytest.mark.parametrize(
    ("measured", "met"),
    [
        (outcome("b", ours=1.0, sklearn=6.1), [True]),
        (outcome("b", ours=1.0, sklearn=5.9), [False]),
        (outcome("a", ours=1.0, sklearn=10.1, skorch=7.9), [True, False]),
        (outcome("a", ours=1.0, sklearn=10.1), [True, False]),  # skorch failed: not met
        (outcome("e", threads=1, ours=1.0, sklearn=1.5), [True]),
        (outcome("e", threads=2, ours=1.0, sklearn=1.5), [False]),
        (outcome("e", threads=3, ours=1.0, sklearn=1.5), []),
        (outcome("j", ours=1.2, sklearn=1.1), [True]),
        (outcome("j", ours=1.4, sklearn=1.5), [False]),
        (outcome("import", ours=0.5, sklearn=0.49), [True]),
        (outcome("import", ours=0.5, sklearn=0.4), [False]),
    ],
)
def test_targets_are_judged_by_medians(measured, met):
    assert [verdict["met"] for verdict in judge([measured])] == met


def test_figures_are_medians_of_the_rounds():
    measured = outcome("a", ours=2.0, sklearn=6.0)
    measured.answers["ours"] += [{"value": value, "steps": 1} for value in (0.1, 50.0)]
    assert figures(measured) == {"sklearn": 3.0}


def test_quick_search_prints_a_table_and_writes_json(run_main, tmp_path):
    out = tmp_path / "search.json"
    lines = run_main("benchmarks.search", "--quick", "--rows=a", "--jobs=1", f"--out={out}")
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| hidden")]
    assert [row[1].partition("(")[0] for row in rows] == ["BatchedGridSearchCV"] + [
        "GridSearchCV"
    ] * 3
    assert rows[0][4] == "1.0"
    assert rows[0][7] == rows[1][7]  # one by one and together, the best is the same
    assert "the figures mean nothing" in lines[-1]
    results = json.loads(out.read_text())
    assert all(result["candidates"] == 4 for result in results["rows"]["a"].values())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no Linux")
def test_processor_time_counts_processes_that_were_started():
    loop = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True); input()"
    before = processor_seconds()
    with subprocess.Popen(
        [sys.executable, "-c", loop], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert processor_seconds() - before >= 0.25
        child.communicate(b"\n")


@pytest.mark.parametrize("name", ["NoAverage", "Cosine", "Standard", "Uncalibrated"])
@pytest.mark.parametrize("task", ["Classifier", "Regressor"])
def test_a_variant_of_the_ensemble_for_tables_fits_otherwise(name, task, rng):
    """All but the regressor that has nothing to calibrate give other predictions."""
    X = rng.normal(size=(120, 3))
    y = X[:, 0] + X[:, 1] ** 2 > 0.5 if task == "Classifier" else X[:, 0] + X[:, 1] ** 2
    params = {"n_members": 2, "max_iter": 4, "random_state": 0}
    usual = getattr(sknn, f"TabularMLP{task}")(**params).fit(X, y)
    variant = getattr(tabular_variants, f"{name}{task}")(**params).fit(X, y)
    outputs = [getattr(m, "predict_proba", m.predict)(X) for m in (usual, variant)]
    is_same = (name, task) == ("Uncalibrated", "Regressor")
    assert np.array_equal(*outputs) == is_same


def test_a_pack_chooses_what_is_best_on_average():
    """One errs to the left, one to the right: their mean is best, and the third adds nothing."""
    y = torch.tensor([1.0, 2.0, 3.0])
    task = tabular_pack.Task("values", 1, n_numbers=1, n_inputs=1)
    chosen, loss = tabular_pack.choose(task, torch.stack([y - 0.5, y + 0.4, y + 3]), y)
    assert sorted(chosen) == [0, 1]
    assert loss == pytest.approx(0.05**2, rel=1e-4)


@pytest.mark.parametrize("kind", ["values", "labels", "classes"])
def test_a_pack_learns(kind, rng):
    X = torch.from_numpy(rng.normal(size=(600, 3)).astype(np.float32))
    y = X[:, 0] if kind == "values" else (X[:, 0] > 0).long() + (kind == "classes") * (X[:, 1] > 0)
    task = tabular_pack.Task(kind, 3 if kind == "classes" else 1, n_numbers=2, n_inputs=3)
    packs = tabular_pack.make_packs(task, 5, 16, np.random.RandomState(0))
    halves = [(X[i::2], y[i::2]) for i in range(2)]
    ensemble = tabular_pack.train(packs, *halves, np.random.RandomState(0), most_epochs=200)
    predicted = ensemble.predict(X[1::2])
    right = (
        (predicted[:, 0] - y[1::2]).abs() < 0.5
        if kind == "values"
        else predicted.argmax(1) == y[1::2]
    )
    assert right.float().mean() > 0.85
