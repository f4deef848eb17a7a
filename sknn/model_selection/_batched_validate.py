"""scikit-learn's ``cross_validate``, with the networks of all folds trained together."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import BaseCrossValidator, check_cv, cross_validate
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sknn._sklearn import check_method_params
from sknn.model_selection._evaluation import FixedSplits
from sknn.model_selection._fits import EstimatorSource, Fits, TrainedAhead
from sknn.model_selection._plans import check_batchable


def _routed(
    estimator: BaseEstimator, X: ArrayLike, splitter: BaseCrossValidator, params: dict, scoring: Any
) -> tuple[dict, dict]:
    """Return what of `params` is for ``fit``, and what for the splitter."""
    params = check_method_params(X, params)
    if not get_config()["enable_metadata_routing"]:
        return params, {}
    scorer = check_scoring(estimator, scoring)
    router = MetadataRouter(owner="cross_validate")
    for method, obj in {"fit": estimator, "split": splitter, "score": scorer}.items():
        mapping = MethodMapping().add(caller="fit", callee=method)
        router.add(**{method: obj}, method_mapping=mapping)
    routed = process_routing(router, "fit", **params)
    return routed["fit"]["fit"], routed["split"]["split"]


def batched_cross_validate(
    estimator, X, y=None, *, groups=None, cv=None, n_jobs=None, verbose=0, params=None, **options
):
    """Evaluate a network by cross-validation, the folds trained together.

    The results are those of ``sklearn.model_selection.cross_validate``, up to rounding.

    Parameters
    ----------
    estimator : DeepMLPClassifier, DeepMLPRegressor or Pipeline
        The network; a pipeline must end in one.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        All rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets.
    groups : array-like of shape (n_samples,), default=None
        For the splitter.
    cv : int, splitter or iterable, default=None
        The folds.
    n_jobs : int, default=None
        Threads that train networks side by side, and processes for those that can only be trained
        one by one; None is 1.
    verbose : int, default=0
        From 1 on, show a bar over the epochs of all folds, if the package rich is installed.
    params : dict, default=None
        Such as `sample_weight`, for ``fit``, the splitter and the scorer.
    **options
        `scoring`, `return_train_score`, `return_estimator`, `return_indices`, `error_score` and
        `pre_dispatch`, which mean what they do in scikit-learn.

    Returns
    -------
    dict of ndarray
        As scikit-learn's; ``fit_time`` is a fold's share of the seconds that all took.

    Raises
    ------
    TypeError
        If the estimator is no network of this package, and no pipeline that ends in one.
    KeyboardInterrupt
        If Ctrl-C came before all folds were finished.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.model_selection import batched_cross_validate
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = DeepMLPClassifier((8,), learning_rate_init=0.1, max_iter=20, random_state=0)
    >>> batched_cross_validate(mlp, X, y, cv=3)["test_score"].shape
    (3,)
    """
    check_batchable(estimator, "batched_cross_validate")
    X, y = indexable(X, y)
    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    scoring = options.get("scoring")
    fit_params, split_params = _routed(estimator, X, splitter, params or {}, scoring)
    splits = list(splitter.split(X, y, **{"groups": groups, **split_params}))
    fits = Fits(estimator, X, y, fit_params, n_jobs=n_jobs, verbose=verbose)
    if not fits.train([None], splits):
        raise KeyboardInterrupt("The cross-validation was interrupted; it has no results.")
    fits.hand_out(0)
    results = cross_validate(
        EstimatorSource(estimator, fits, clones_before=0),
        X,
        y,
        groups=groups,
        cv=FixedSplits(splits, splitter),
        verbose=verbose,
        params=params,
        n_jobs=1,
        **options,
    )
    times = zip(fits.all, results["fit_time"], strict=True)
    results["fit_time"] = np.array([t if fit.is_left else fit.seconds for fit, t in times])
    if "estimator" in results:
        results["estimator"] = [
            e.estimator if isinstance(e, TrainedAhead) else e for e in results["estimator"]
        ]
    return results
