"""The script of the guide, started by torchrun."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.engine.distributed.fits import ON_LOOPBACK

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "guide" / "large_data.md").read_text(encoding="utf-8")
SCRIPT = re.compile(r"^```\{code-block\} python\n(# train\.py\n.*?)^```$", re.DOTALL | re.MULTILINE)


def test_script_of_the_guide_trains_with_torchrun(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT.search(PAGE).group(1))
    command = re.search(r"^\$ torchrun (--standalone .*)$", PAGE, re.MULTILINE).group(1).split()
    environment = {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        **ON_LOOPBACK,
    }
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *command],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"
