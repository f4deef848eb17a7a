"""Processes that a fit starts itself, each of which takes seconds to load torch."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.exceptions import PeerError
from tests.apart import LIMIT
from tests.engine.distributed import networks
from tests.engine.distributed.fits import LABELS, WEIGHT, X, Y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROOT = Path(__file__).parents[3]
PARAMS = {"max_iter": 5, "random_state": 0, "batch_size": 16, "dtype": "float64"}
#: fits in a daemonic process, and then as it is imported
SCRIPT = """
import multiprocessing
import numpy as np
from sknn import DeepMLPClassifier

def fit():
    X = np.arange(40.0).reshape(20, 2)
    DeepMLPClassifier(n_processes=2).fit(X, X[:, 0] > 5)

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=fit, daemon=True)
    child.start()
    child.join()
fit()
"""


def test_a_fit_with_a_process_of_its_own_is_that_of_one():
    seen, environment, threads = [], dict(os.environ), torch.get_num_threads()
    hook = sys.excepthook
    # The callback is a function that could not be sent: it is called here.
    params = {"early_stopping": True, "dropout": 0.2, "scoring": "accuracy", **PARAMS}
    model = DeepMLPClassifier(callbacks=[lambda row: seen.append(row["loss"])], **params)
    model.set_params(n_processes=2).fit(X, LABELS, WEIGHT)
    assert model.runner_ == "distributed"
    assert seen == model.loss_curve_
    alone = DeepMLPClassifier(**params).fit(X, LABELS, WEIGHT)
    np.testing.assert_allclose(model.loss_curve_, alone.loss_curve_, rtol=1e-10)
    np.testing.assert_allclose(model.coefs_[0], alone.coefs_[0], rtol=1e-10, atol=1e-12)
    assert model.validation_scores_ == alone.validation_scores_
    assert not dist.is_initialized()
    assert (dict(os.environ), torch.get_num_threads(), sys.excepthook) == (
        environment,
        threads,
        hook,
    )


def test_ctrl_c_pauses_a_fit_with_several_processes_and_it_goes_on():
    def interrupt(row):
        if len(seen) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        seen.append(row)

    seen = []
    model = DeepMLPRegressor(callbacks=[interrupt], warm_start=True, n_processes=2, **PARAMS)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, Y)
    assert model.n_iter_ == 2
    model.set_params(n_processes=None).fit(X, Y)  # also in one process
    expected = DeepMLPRegressor(**PARAMS).fit(X, Y)
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-10)


@pytest.mark.parametrize(
    ("module", "match"),
    [
        (networks.FailsToLoad, r"process 1 raised ImportError: no such module here"),
        (networks.EndsSecond, r"Process 0 of 2 lost another one"),
    ],
)
def test_a_process_that_fails_ends_the_fit(module, match):
    model = DeepMLPRegressor(module=module, n_processes=2, **PARAMS)
    with pytest.raises(PeerError, match=match):
        model.fit(X, Y)
    assert not hasattr(model, "net_")
    assert not dist.is_initialized()


@pytest.mark.skipif(os.name != "posix", reason="forks a process")
def test_where_processes_cannot_start_an_error_says_why(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    run = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        timeout=LIMIT,
        text=True,
    )
    assert run.returncode == 1
    daemonic = "RuntimeError: n_processes=2 starts processes, which a daemonic process such as this"
    imported = "RuntimeError: n_processes starts processes while this one is imported"
    ended = "RuntimeError: The process 'sknn-worker-1' ended"
    for error in (daemonic, imported, ended):
        assert error in run.stderr
    assert run.stderr.count("put what it does under `if __name__ == '__main__':`") == 2
