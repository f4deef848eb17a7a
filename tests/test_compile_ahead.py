"""``python -m sknn compile`` leaves nothing for first fits to compile."""

import numpy as np
import pytest

from sknn._compile_ahead import compile_ahead
from sknn._jit import OBSTACLE
from sknn.engine.compiled._support import is_warm
from sknn.engine.members._support import is_ready


@pytest.mark.skipif(OBSTACLE is not None, reason="numba is not installed")
def test_afterwards_code_is_there_for_both_precisions_and_all_kinds():
    lines = []
    compile_ahead(lines.append)
    assert [line.partition(":")[0] for line in lines] == [
        "small networks, float32",
        "small networks, float64",
        "ensembles for tables, float32",
        "ensembles for tables, float64",
        "sequences",
    ]
    for dtype in (np.dtype("float32"), np.dtype("float64")):
        assert is_warm(dtype)
        assert is_ready(dtype)


def test_without_numba_the_reason_is_printed(capsys):
    compile_ahead(obstacle="numba is not installed")
    assert capsys.readouterr().out == "Nothing is compiled: numba is not installed.\n"
