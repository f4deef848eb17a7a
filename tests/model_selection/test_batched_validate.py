"""`batched_cross_validate` gives what `cross_validate` gives."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier
from sknn.losses import CLASS_LOSSES
from sknn.model_selection import batched_cross_validate
from tests.helpers import interrupt_after

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X[:150] / 16, Y[:150] % 3
GROUPS = np.arange(150) // 10
WEIGHT = np.random.RandomState(0).uniform(0.5, 2, 150)
MLP = DeepMLPClassifier((6,), batch_size=20, max_iter=4, random_state=0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cv": KFold(4), "return_train_score": True},
        {"cv": GroupKFold(3), "groups": GROUPS},
        {"scoring": ["accuracy", "neg_log_loss"], "return_indices": True},
        {"params": {"sample_weight": WEIGHT}, "cv": 3},
    ],
    ids=["default", "train scores", "groups", "metrics", "weights"],
)
def test_same_as_cross_validate(options):
    ours = batched_cross_validate(MLP, X, Y, **options)
    theirs = cross_validate(MLP, X, Y, **options)
    assert ours.keys() == theirs.keys()
    for key in ours:
        if key.startswith(("test", "train")):
            np.testing.assert_allclose(ours[key], theirs[key], atol=1e-6)
    assert (ours["fit_time"] > 0).all()
    if "indices" in ours:
        for part in ("train", "test"):
            for a, b in zip(ours["indices"][part], theirs["indices"][part], strict=True):
                np.testing.assert_array_equal(a, b)


def test_pipelines_are_returned_fitted():
    model = make_pipeline(StandardScaler(), MLP)
    ours = batched_cross_validate(model, X, Y, cv=3, return_estimator=True, n_jobs=2)["estimator"]
    theirs = cross_validate(model, X, Y, cv=3, return_estimator=True)["estimator"]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-6)
        clone(one).fit(X, Y)


def test_routed_weights_and_groups():
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = clone(MLP).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        params = {"sample_weight": WEIGHT, "groups": GROUPS}
        ours = batched_cross_validate(mlp, X, Y, cv=GroupKFold(3), params=params)
        theirs = cross_validate(mlp, X, Y, cv=GroupKFold(3), params=params)
    np.testing.assert_allclose(ours["test_score"], theirs["test_score"], atol=1e-6)


def test_other_estimators_are_fitted_one_by_one():
    model = LogisticRegression()
    ours, theirs = (f(model, X, Y)["test_score"] for f in (batched_cross_validate, cross_validate))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_ctrl_c_is_an_error():
    model = clone(MLP).set_params(loss=interrupt_after(0, CLASS_LOSSES["log_loss"]))
    with pytest.raises(KeyboardInterrupt, match="it has no results"):
        batched_cross_validate(model, X, Y, cv=3)
