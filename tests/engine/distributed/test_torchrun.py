"""The scripts of the guide, started by torchrun."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.apart import LIMIT
from tests.engine.distributed.fits import ON_LOOPBACK

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "guide" / "several_processes.md").read_text(encoding="utf-8")
SCRIPT = r"^```\{{code-block\}} python\n(# {}\n.*?)^```$"


def run(name, folder):
    """Return what a script of the guide prints, started as the guide says."""
    script = re.search(SCRIPT.format(re.escape(name)), PAGE, re.DOTALL | re.MULTILINE)
    (folder / name).write_text(script.group(1))
    command = re.search(r"^\$ torchrun (--standalone .*) train.py$", PAGE, re.MULTILINE).group(1)
    environment = {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        **ON_LOOPBACK,
    }
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *command.split(), name],
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        timeout=LIMIT,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_script_of_the_guide_trains_with_torchrun(tmp_path):
    assert run("train.py", tmp_path) == "True\n"


def test_script_of_the_guide_trains_on_shards_with_torchrun(tmp_path):
    pytest.importorskip("pyarrow", reason="sknn[data] is not installed")
    (tmp_path / "samples").mkdir()
    rng = np.random.default_rng(0)
    for i, n in enumerate((40, 70, 20)):
        table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
        table["y"] = np.where(table.a > 0, f"high {i}", "low")
        table.to_parquet(tmp_path / "samples" / f"{i}.parquet")
    printed = run("train_shards.py", tmp_path)
    assert re.fullmatch(r"\['high 0' 'high 1' 'high 2' 'low'\] \d+\n", printed)
