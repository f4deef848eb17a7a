"""scikit-learn's searches and cross-validation, the networks of candidates and folds together."""

import numpy as np
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_validate

from sknn._suggestions import check_no_class
from sknn.deep import read_params
from sknn.model_selection._evaluation import (
    BatchedSearch,
    Evaluation,
    EvaluationInterrupted,
    check_in_memory,
    open_checkpoint,
)

#: options of scikit-learn's ``cross_validate`` that the result of a fold depends on
SCORED = ("scoring", "error_score", "return_train_score")


class BatchedGridSearchCV(BatchedSearch, GridSearchCV):
    """Search over all combinations of parameters, with networks that are trained together [1]_.

    It takes the place of ``sklearn.model_selection.GridSearchCV``, with the same results
    up to rounding. Ctrl-C with ``refit=False`` keeps the candidates that were finished.

    Parameters
    ----------
    estimator : estimator object
        Estimator, as in scikit-learn. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_grid : dict or list of dict
        Values to try for each parameter, by its name.
    scoring : str, callable, list, tuple or dict, default=None
        Metric, or several; None is the estimator's ``score``.
    n_jobs : int, default=None
        Number of cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all samples; of several metrics, the one that decides.
    cv : int, splitter or iterable, default=None
        Number of folds, or a splitter or the folds themselves; None is 5 folds.
    verbose : int, default=0
        Verbosity. From 1 on a bar over the epochs of all networks is shown, if the package rich is
        installed; otherwise it is as in scikit-learn.
    pre_dispatch : int or str, default='2*n_jobs'
        Number of jobs that are dispatched at once, for estimators that are fitted one by one.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; other candidates are not affected.
    return_train_score : bool, default=False
        Whether to score the training samples, too.
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        Results, as in scikit-learn. The ``mean_fit_time`` of a candidate is its share of the time,
        in seconds, of all networks that were trained together.
    best_estimator_ : estimator object
        Best candidate, fitted on all samples.
    best_params_, best_score_, best_index_ : dict, float, int
        Parameters of the best candidate, its mean score, and its index in ``cv_results_``.
    scorer_ : callable or dict of callable
        Metric, or metrics by their names.
    multimetric_ : bool
        Whether there are several metrics.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Time of the fit on all samples, in seconds.
    classes_, feature_names_in_ : ndarray
        Attributes of the best candidate, if it has them.
    n_features_in_ : int
        Number of columns of X.

    See Also
    --------
    BatchedRandomizedSearchCV : Draws candidates.
    sklearn.model_selection.GridSearchCV : The search that this one does.

    Notes
    -----
    `sknn.engine.train_many` trains the networks. Those in training take a quarter of the free
    memory at most, and so do those waiting to be scored. On a cluster, in
    ``joblib.parallel_config("dask")`` for instance, workers train and score groups of candidates.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov and A. Babenko, "TabM: Advancing tabular deep learning with
       parameter-efficient ensembling", ICLR 2025, arXiv:2410.24210: networks along an axis.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import DeepMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = DeepMLPClassifier((8,), batch_size=32, random_state=0, n_iter_no_change=50)
    >>> model = make_pipeline(StandardScaler(), mlp.set_params(max_iter=50))
    >>> from sknn.model_selection import BatchedGridSearchCV
    >>> grid = {"deepmlpclassifier__learning_rate_init": [0.0001, 0.01]}
    >>> search = BatchedGridSearchCV(model, grid, cv=3).fit(X, y)
    >>> search.best_params_
    {'deepmlpclassifier__learning_rate_init': 0.01}
    """

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.checkpoint = checkpoint


class BatchedRandomizedSearchCV(BatchedSearch, RandomizedSearchCV):
    """Search over parameters drawn at random [1]_, with networks that are trained together.

    It takes the place of ``sklearn.model_selection.RandomizedSearchCV``, with the same results
    up to rounding. Ctrl-C with ``refit=False`` keeps the candidates that were finished.

    Parameters
    ----------
    estimator : estimator object
        Estimator, as in scikit-learn. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_distributions : dict or list of dict
        Distribution of each parameter, or values to draw from, by its name.
    n_iter : int, default=10
        Number of candidates to draw.
    scoring : str, callable, list, tuple or dict, default=None
        Metric, or several; None is the estimator's ``score``.
    n_jobs : int, default=None
        Number of cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all samples; of several metrics, the one that decides.
    cv : int, splitter or iterable, default=None
        Number of folds, or a splitter or the folds themselves; None is 5 folds.
    verbose : int, default=0
        Verbosity. From 1 on a bar over the epochs of all networks is shown, if the package rich is
        installed; otherwise it is as in scikit-learn.
    pre_dispatch : int or str, default='2*n_jobs'
        Number of jobs that are dispatched at once, for estimators that are fitted one by one.
    random_state : int, RandomState instance or None, default=None
        Source of the candidates.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; other candidates are not affected.
    return_train_score : bool, default=False
        Whether to score the training samples, too.
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        Results, as in scikit-learn. The ``mean_fit_time`` of a candidate is its share of the time,
        in seconds, of all networks that were trained together.
    best_estimator_ : estimator object
        Best candidate, fitted on all samples.
    best_params_, best_score_, best_index_ : dict, float, int
        Parameters of the best candidate, its mean score, and its index in ``cv_results_``.
    scorer_ : callable or dict of callable
        Metric, or metrics by their names.
    multimetric_ : bool
        Whether there are several metrics.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Time of the fit on all samples, in seconds.
    classes_, feature_names_in_ : ndarray
        Attributes of the best candidate, if it has them.
    n_features_in_ : int
        Number of columns of X.

    See Also
    --------
    BatchedGridSearchCV : Tries all combinations.
    sklearn.model_selection.RandomizedSearchCV : The search that this one does.

    Notes
    -----
    `sknn.engine.train_many` trains the networks. Those in training take a quarter of the free
    memory at most, and so do those waiting to be scored. On a cluster, in
    ``joblib.parallel_config("dask")`` for instance, workers train and score groups of candidates.

    References
    ----------
    .. [1] J. Bergstra and Y. Bengio, "Random search for hyper-parameter optimization", Journal of
       Machine Learning Research 13, 2012, https://www.jmlr.org/papers/v13/bergstra12a.html

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from scipy.stats import loguniform
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import DeepMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = DeepMLPClassifier((8,), batch_size=32, random_state=0, n_iter_no_change=50)
    >>> model = make_pipeline(StandardScaler(), mlp.set_params(max_iter=50))
    >>> from sknn.model_selection import BatchedRandomizedSearchCV
    >>> drawn = {"deepmlpclassifier__learning_rate_init": loguniform(1e-3, 1e-1)}
    >>> search = BatchedRandomizedSearchCV(model, drawn, n_iter=8, cv=3, random_state=0)
    >>> print(f"{search.fit(X, y).best_score_:.2f}")
    0.97
    """

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.checkpoint = checkpoint


def batched_cross_validate(
    estimator,
    X,
    y=None,
    *,
    groups=None,
    cv=None,
    n_jobs=None,
    verbose=0,
    params=None,
    checkpoint=None,
    **options,
):
    """Evaluate an estimator by cross-validation, with networks of all folds trained together.

    The results are those of ``sklearn.model_selection.cross_validate``, up to rounding.

    Parameters
    ----------
    estimator : estimator object
        Estimator, as in scikit-learn. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets.
    groups : array-like of shape (n_samples,), default=None
        Groups of the samples, for the splitter.
    cv : int, splitter or iterable, default=None
        Number of folds, or a splitter or the folds themselves; None is 5 folds.
    n_jobs : int, default=None
        Number of cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    verbose : int, default=0
        Verbosity. From 1 on a bar over the epochs of all networks is shown, if the package rich is
        installed; otherwise it is as in scikit-learn.
    params : dict, default=None
        Arguments such as `sample_weight`, for ``fit``, the splitter and the scorer.
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.
    **options
        `scoring`, `return_train_score`, `return_estimator`, `return_indices`, `error_score` and
        `pre_dispatch`, which mean what they do in scikit-learn.

    Returns
    -------
    dict of ndarray
        Results, as in scikit-learn; ``fit_time`` is a fold's share of the time of all, in seconds.

    Raises
    ------
    TypeError
        If X is a file or another source, or `estimator` is a class.
    ValueError
        As scikit-learn's function does; and for `checkpoint` with ``return_estimator=True``.
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
    check_in_memory(X, "batched_cross_validate")
    check_no_class(estimator, "batched_cross_validate")
    if checkpoint is not None and options.get("return_estimator"):
        raise ValueError(
            "checkpoint= keeps scores and no fitted estimators; got return_estimator=True with "
            f"checkpoint={checkpoint!r}. Leave one of them out."
        )
    settings = {"estimator": type(estimator), **{name: options.get(name) for name in SCORED}}
    settings |= {f"estimator__{name}": value for name, value in read_params(estimator).items()}
    kind, data = batched_cross_validate.__qualname__, (X, y, params)
    try:
        with (
            open_checkpoint(checkpoint, kind, settings, data) as kept,
            Evaluation(verbose, kept).activate(),
        ):
            return cross_validate(
                estimator,
                X,
                y,
                groups=groups,
                cv=cv,
                n_jobs=n_jobs,
                verbose=verbose,
                params=params,
                **options,
            )
    except EvaluationInterrupted as stop:
        raise KeyboardInterrupt(
            "The cross-validation was interrupted; it has no results."
        ) from stop
