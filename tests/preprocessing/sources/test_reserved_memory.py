"""Address space of pyarrow's allocator, and the environment, which stays as it is."""

import os
import subprocess
import sys

import pytest

from sknn._memory import RESERVED, SETTING, reserve_little
from tests.helpers import ROOT

IMPORTS = """
import os
before = dict(os.environ)
import sknn
print(dict(os.environ) == before)
import sknn.deep
import pyarrow.dataset
print("MIMALLOC_ARENA_RESERVE" in os.environ)
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmData")]
print(int(line.split()[1]) < 900_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_imports_leave_the_environment_alone_and_pyarrow_reserves_little():
    pytest.importorskip("pyarrow")
    environment = {k: v for k, v in os.environ.items() if k != SETTING}
    environment["OMP_NUM_THREADS"] = "1"  # a thread reserves memory, too
    run = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.stdout.split() == ["True", "False", "True"], run.stderr


@pytest.mark.parametrize("own", [None, "1024"])
def test_a_setting_of_the_user_goes_before(own, monkeypatch):
    monkeypatch.delenv(SETTING, raising=False)
    if own is not None:
        monkeypatch.setenv(SETTING, own)
    with reserve_little():
        assert os.environ[SETTING] == (own or RESERVED)
    assert os.environ.get(SETTING) == own
