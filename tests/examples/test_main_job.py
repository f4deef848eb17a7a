"""The example that compares with MLPClassifier runs, small, and shows what it promises."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apart import LIMIT

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "compare_with_mlpclassifier.py"
DATA_SETS = ("breast cancer", "digits")
MODELS = ("MLPClassifier", "DeepMLPClassifier")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The finished process and its folder; the script runs outside the checkout."""
    pytest.importorskip("matplotlib", reason="the example draws with matplotlib")
    folder = tmp_path_factory.mktemp("example")
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.run(
        [sys.executable, SCRIPT, "--quick", "--output", "curves.png"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    return process, folder


def _row(output, data_set, model, dtype):
    """Return the cells of a row after its three names, best parameters first."""
    start = f"{data_set:<13}  {model:<17}  {dtype:<7}  "
    (row,) = (line for line in output.splitlines() if line.startswith(start))
    parameters, _, cells = row[len(start) :].partition("  ")
    return parameters, [float(cell) for cell in cells.split()]


def test_it_succeeds_without_a_warning(run):
    process, _ = run
    assert process.returncode == 0, process.stderr
    assert "Warning" not in process.stderr


@pytest.mark.parametrize("data_set", DATA_SETS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_table_has_a_sane_row(run, data_set, model, dtype):
    process, _ = run
    parameters, cells = _row(process.stdout, data_set, model, dtype)
    accuracy, log_loss, *seconds = cells
    assert parameters.startswith("(")
    assert 0.9 < accuracy <= 1
    assert 0 < log_loss < 0.5
    assert len(seconds) == (3 if dtype == "float64" else 2)  # float32 is not searched
    assert min(seconds) >= 0


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_both_models_agree_in_float64(run, data_set):
    process, _ = run
    ours, theirs = (_row(process.stdout, data_set, model, "float64") for model in MODELS)
    assert ours[0] == theirs[0]
    assert ours[1][:2] == theirs[1][:2]
    assert process.stdout.count("the same network up to rounding") == len(DATA_SETS)


def test_log_is_short_and_has_no_control_codes(run):
    process, _ = run
    assert len(process.stdout.splitlines()) < 40
    assert not set("\x1b\r\b") & set(process.stdout)


def test_picture_is_a_png_of_two_panels(run):
    _, folder = run
    content = (folder / "curves.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert 1000 < width < 2000
    assert 400 < height < 800
    assert len(content) > 20_000


def test_unknown_option_is_refused():
    process = subprocess.run(
        [sys.executable, SCRIPT, "--fast"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert process.returncode == 2
    assert "unrecognized arguments: --fast" in process.stderr
