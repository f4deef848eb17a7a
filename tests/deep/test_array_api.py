"""Tensors in and out while scikit-learn's array API dispatch is on.

SciPy reads ``SCIPY_ARRAY_API`` when it is imported, so these run in other processes.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from sknn.deep._array_api import find_place

CHECKS = """
from unittest import SkipTest

from sklearn.utils.estimator_checks import estimator_checks_generator

import sknn
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor

checked = []
for estimator in (
    sknn.DeepMLPClassifier(max_iter=5),
    sknn.DeepMLPRegressor(max_iter=5),
    sknn.TabularMLPClassifier(n_members=2, max_iter=2),
    sknn.TabularMLPRegressor(n_members=2, max_iter=2),
    sknn.AutoencoderTransformer(max_iter=2),
    sknn.AutoencoderOutlierDetector(max_iter=2),
    DeepEnsembleClassifier(sknn.DeepMLPClassifier(max_iter=2), n_members=2),
    DeepEnsembleRegressor(sknn.DeepMLPRegressor(max_iter=2), n_members=2),
):
    for _, check in estimator_checks_generator(estimator):
        name = getattr(check, "func", check).__name__
        if name.startswith("check_array_api"):
            try:
                check(estimator)
            except SkipTest:
                continue
            checked.append((type(estimator).__name__, name))
"""

BEGIN = """
import numpy as np
import torch
from sklearn import config_context
from sklearn.datasets import load_iris

from sknn import DeepMLPClassifier, DeepMLPRegressor

X, y = load_iris(return_X_y=True)
names = np.array(["setosa", "versicolor", "virginica"])[y]
"""

USES = {
    "labels that are text stay NumPy's": """
with config_context(array_api_dispatch=True):
    model = DeepMLPClassifier(max_iter=5).fit(torch.tensor(X), names)
    assert isinstance(model.predict(torch.tensor(X)), np.ndarray)
    proba = model.predict_proba(torch.tensor(X))
assert isinstance(proba, torch.Tensor) and proba.dtype == torch.float64
""",
    "validation samples and weights may be tensors": """
with config_context(array_api_dispatch=True):
    T, t = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    model = DeepMLPClassifier(max_iter=5, random_state=0)
    model.fit(T, t, torch.ones(len(T)), X_val=T, y_val=t)
    predicted = model.predict(T)
assert isinstance(predicted, torch.Tensor)
with config_context(array_api_dispatch=False):
    again = DeepMLPClassifier(max_iter=5, random_state=0)
    again.fit(X.astype("float32"), y, np.ones(len(X)), X_val=X.astype("float32"), y_val=y)
assert np.array_equal(again.predict(X.astype("float32")), predicted.numpy())
""",
    "standard deviations are tensors too": """
with config_context(array_api_dispatch=True):
    model = DeepMLPRegressor(loss="gaussian_nll", max_iter=5)
    model.fit(torch.tensor(X[:, :3]), torch.tensor(X[:, 3]))
    predicted = model.predict(torch.tensor(X[:, :3]), return_std=True)
assert all(isinstance(value, torch.Tensor) for value in predicted)
assert isinstance(model.target_mean_, torch.Tensor)
""",
    "a refit on NumPy's arrays forgets where the tensors were": """
with config_context(array_api_dispatch=True):
    model = DeepMLPClassifier(max_iter=5).fit(torch.tensor(X), torch.tensor(y))
    try:
        model.predict(X)
    except ValueError as error:
        assert "Expected arrays of torch on cpu, got numpy on cpu. Move" in str(error)
    else:
        raise AssertionError("other arrays were taken")
    assert isinstance(model.fit(X, y).predict(X), np.ndarray)
""",
    "codes and reconstructions are tensors where samples were": """
from sknn import AutoencoderTransformer

autoencoder = AutoencoderTransformer(2, max_iter=3, random_state=0)
T = torch.tensor(X)
with config_context(array_api_dispatch=True):
    codes = autoencoder.fit_transform(T)
    found = codes, autoencoder.inverse_transform(codes), autoencoder.score_samples(T)
    assert isinstance(autoencoder.reconstruct(T), torch.Tensor)
    assert isinstance(autoencoder.score(T), float)
assert all(isinstance(value, torch.Tensor) for value in found)
expected = autoencoder.fit(X).transform(X)
assert np.array_equal(found[0].numpy(), expected)
assert np.array_equal(found[2].numpy(), autoencoder.score_samples(X))
""",
    "signs of a detector are tensors": """
from sknn import AutoencoderOutlierDetector

detector = AutoencoderOutlierDetector(max_iter=3, random_state=0)
with config_context(array_api_dispatch=True):
    T = torch.tensor(X)
    found = detector.fit(T).predict(T), detector.fit_predict(T), detector.decision_function(T)
assert all(isinstance(value, torch.Tensor) for value in found)
assert np.array_equal(found[0].numpy(), detector.fit(X).predict(X))
""",
    "an ensemble gives the means of its members as tensors": """
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor

classifier = DeepEnsembleClassifier(DeepMLPClassifier(max_iter=3), 2, random_state=0)
regressor = DeepEnsembleRegressor(DeepMLPRegressor(max_iter=3), 2, random_state=0)
T = torch.tensor(X)
with config_context(array_api_dispatch=True):
    classifier.fit(T, torch.tensor(y))
    found = [getattr(classifier, name)(T) for name in ("predict", "predict_proba")]
    found += [classifier.decision_function(T), classifier.predict_log_proba(T)]
    found += regressor.fit(T[:, :3], T[:, 3]).predict(T[:, :3], return_std=True)
    assert isinstance(classifier.score(T, torch.tensor(y)), float)
    assert isinstance(regressor.score(T[:, :3], T[:, 3]), float)
assert all(isinstance(value, torch.Tensor) for value in found)
assert np.array_equal(found[1].numpy(), classifier.fit(X, y).predict_proba(X))
""",
    "frames are read as without dispatch": """
import pandas as pd

frame = pd.DataFrame(X).rename(columns=str).assign(name=names)
with config_context(array_api_dispatch=True):
    model = DeepMLPClassifier(max_iter=5).fit(frame, y)
    assert isinstance(model.predict(frame), np.ndarray)
""",
}

#: each use begins anew, and asserts itself
RUN_ALL = """
import json
import traceback

errors, space = {{}}, {{}}
for name, code in {uses!r}.items():
    try:
        exec({begin!r} + code, {{}})
    except Exception:
        errors[name] = traceback.format_exc()
try:
    exec({checks!r}, space)
except Exception:
    errors["checks"] = traceback.format_exc()
print(json.dumps([errors, len(space["checked"])]))
"""


@pytest.fixture(scope="module")
def outcome():
    """Return tracebacks by what failed, and the number of checks; one process does everything."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", RUN_ALL.format(begin=BEGIN, uses=USES, checks=CHECKS)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_checks_of_scikit_learn_pass(outcome):
    pytest.importorskip("array_api_strict", reason="scikit-learn checks with it")
    errors, n_checked = outcome
    assert "checks" not in errors, errors["checks"]
    # NumPy, array-api-strict, torch, and mixtures; scikit-learn < 1.9 has fewer checks
    assert n_checked >= 8 * (7 if has_mixed_checks() else 3)


def has_mixed_checks():
    """Return whether this scikit-learn checks mixtures of libraries."""
    from sklearn.utils import estimator_checks

    return hasattr(estimator_checks, "check_array_api_mixed_inputs")


@pytest.mark.parametrize("use", USES)
def test_tensors_come_back_where_tensors_went_in(use, outcome):
    errors, _ = outcome
    assert use not in errors, errors[use]


def test_without_dispatch_a_tensor_gives_an_array():
    import torch

    assert find_place(torch.ones(3)) is None
    assert find_place(np.ones(3)) is None
