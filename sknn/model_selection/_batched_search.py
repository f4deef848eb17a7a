"""scikit-learn's searches, with the networks of all candidates and folds trained together."""

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)

from sknn.model_selection._evaluation import BatchedSearch


class BatchedGridSearchCV(BatchedSearch, GridSearchCV):
    """Try all combinations of parameters, the networks trained together [1]_.

    Write it for ``sklearn.model_selection.GridSearchCV``: the results are the same up to
    rounding. Ctrl-C with ``refit=False`` keeps the candidates that were finished.

    Parameters
    ----------
    estimator : estimator object
        Any that scikit-learn's class takes. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_grid : dict or list of dict
        Parameter name to values to try.
    scoring : str, callable, list, tuple or dict, default=None
        One metric, or several; None is the estimator's ``score``.
    n_jobs : int, default=None
        Cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    refit : bool, str or callable, default=True
        Whether, or by which metric, to fit the best candidate on all samples.
    cv : int, splitter or iterable, default=None
        Folds.
    verbose : int, default=0
        From 1 on, show a bar over the epochs of all networks, if the package rich is installed;
        the rest is as in scikit-learn.
    pre_dispatch : int or str, default='2*n_jobs'
        As scikit-learn's, for what is fitted one by one.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; the others are unharmed.
    return_train_score : bool, default=False
        Whether to score the training samples too.
    checkpoint : str or path-like, default=None
        Folder for the results of finished candidates, and the state of networks in training, from
        which the same search goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As scikit-learn's. A candidate's ``mean_fit_time`` is its share of the time, in seconds,
        that those trained together took.
    best_estimator_, best_params_, best_score_, best_index_
        Best candidate.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn's.

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
    """Try parameters drawn at random [1]_, the networks trained together.

    Write it for ``sklearn.model_selection.RandomizedSearchCV``: the results are the same up to
    rounding. Ctrl-C with ``refit=False`` keeps the candidates that were finished.

    Parameters
    ----------
    estimator : estimator object
        Any that scikit-learn's class takes. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_distributions : dict or list of dict
        Parameter name to a distribution, or to values to draw from.
    n_iter : int, default=10
        Number of candidates to draw.
    scoring : str, callable, list, tuple or dict, default=None
        One metric, or several; None is the estimator's ``score``.
    n_jobs : int, default=None
        Cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    refit : bool, str or callable, default=True
        Whether, or by which metric, to fit the best candidate on all samples.
    cv : int, splitter or iterable, default=None
        Folds.
    verbose : int, default=0
        From 1 on, show a bar over the epochs of all networks, if the package rich is installed;
        the rest is as in scikit-learn.
    pre_dispatch : int or str, default='2*n_jobs'
        As scikit-learn's, for what is fitted one by one.
    random_state : int, RandomState instance or None, default=None
        Draws the candidates.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; the others are unharmed.
    return_train_score : bool, default=False
        Whether to score the training samples too.
    checkpoint : str or path-like, default=None
        Folder for the results of finished candidates, and the state of networks in training, from
        which the same search goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As scikit-learn's. A candidate's ``mean_fit_time`` is its share of the time, in seconds,
        that those trained together took.
    best_estimator_, best_params_, best_score_, best_index_
        Best candidate.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn's.

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
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
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


class BatchedHalvingGridSearchCV(BatchedSearch, HalvingGridSearchCV):
    """Successive halving [1]_ of a grid, the networks of a round trained together.

    Write it for ``sklearn.model_selection.HalvingGridSearchCV``: the results are the same up to
    rounding. Ctrl-C is always an error, as a round needs all its candidates.

    Parameters
    ----------
    estimator : estimator object
        Any that scikit-learn's class takes. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_grid : dict or list of dict
        Parameter name to values to try.
    factor : int or float, default=3
        Of the candidates of a round, one in `factor` goes on, with `factor` times the resource.
    resource : 'n_samples' or str, default='n_samples'
        What grows from round to round: samples, or a parameter such as ``'max_iter'``.
    max_resources : int or 'auto', default='auto'
        Maximum of the resource; ``'auto'`` is all samples.
    min_resources : 'exhaust', 'smallest' or int, default='exhaust'
        Resource of the first round.
    aggressive_elimination : bool, default=False
        Repeat the first round until so few candidates are left that the last can use all.
    cv : int, splitter or iterable, default=5
        Folds.
    scoring : str or callable, default=None
        Metric; None is the estimator's ``score``.
    refit : bool, default=True
        Whether to fit the best candidate on all samples.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; the others are unharmed.
    return_train_score : bool, default=True
        Whether to score the training samples too.
    random_state : int, RandomState instance or None, default=None
        Draws the samples of each round where the resource is 'n_samples'.
    n_jobs : int, default=None
        Cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    verbose : int, default=0
        From 1 on, show a bar over the epochs of all networks, if the package rich is installed;
        the rest is as in scikit-learn.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As scikit-learn's. A candidate's ``mean_fit_time`` is its share of the time, in seconds,
        that those trained together took.
    best_estimator_, best_params_, best_score_, best_index_
        Best candidate of the last round.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn's.

    See Also
    --------
    BatchedHalvingRandomSearchCV : Draws candidates.
    sklearn.model_selection.HalvingGridSearchCV : The search that this one does.

    Notes
    -----
    `sknn.engine.train_many` trains the networks. Those in training take a quarter of the free
    memory at most, and so do those waiting to be scored. On a cluster, in
    ``joblib.parallel_config("dask")`` for instance, workers train and score groups of candidates.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016, arXiv:1502.07943.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import DeepMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = DeepMLPClassifier((8,), batch_size=32, random_state=0, n_iter_no_change=50)
    >>> model = make_pipeline(StandardScaler(), mlp.set_params(max_iter=50))
    >>> from sknn.model_selection import BatchedHalvingGridSearchCV
    >>> grid = {"deepmlpclassifier__learning_rate_init": [0.0001, 0.001, 0.01]}
    >>> search = BatchedHalvingGridSearchCV(model, grid, cv=3, random_state=0)
    >>> search.fit(X, y).n_candidates_
    [3, 1]
    """


class BatchedHalvingRandomSearchCV(BatchedSearch, HalvingRandomSearchCV):
    """Successive halving [1]_ of random candidates, those of a round trained together.

    Write it for ``sklearn.model_selection.HalvingRandomSearchCV``: the results are the same up to
    rounding. Ctrl-C is always an error, as a round needs all its candidates.

    Parameters
    ----------
    estimator : estimator object
        Any that scikit-learn's class takes. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_distributions : dict or list of dict
        Parameter name to a distribution, or to values to draw from.
    n_candidates : 'exhaust' or int, default='exhaust'
        Number of candidates to draw; ``'exhaust'`` is as many as let the last round use
        `max_resources`.
    factor : int or float, default=3
        Of the candidates of a round, one in `factor` goes on, with `factor` times the resource.
    resource : 'n_samples' or str, default='n_samples'
        What grows from round to round: samples, or a parameter such as ``'max_iter'``.
    max_resources : int or 'auto', default='auto'
        Maximum of the resource; ``'auto'`` is all samples.
    min_resources : 'exhaust', 'smallest' or int, default='smallest'
        Resource of the first round.
    aggressive_elimination : bool, default=False
        Repeat the first round until so few candidates are left that the last can use all.
    cv : int, splitter or iterable, default=5
        Folds.
    scoring : str or callable, default=None
        Metric; None is the estimator's ``score``.
    refit : bool, default=True
        Whether to fit the best candidate on all samples.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; the others are unharmed.
    return_train_score : bool, default=True
        Whether to score the training samples too.
    random_state : int, RandomState instance or None, default=None
        Draws the candidates, and the samples of each round where the resource is 'n_samples'.
    n_jobs : int, default=None
        Cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    verbose : int, default=0
        From 1 on, show a bar over the epochs of all networks, if the package rich is installed;
        the rest is as in scikit-learn.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As scikit-learn's. A candidate's ``mean_fit_time`` is its share of the time, in seconds,
        that those trained together took.
    best_estimator_, best_params_, best_score_, best_index_
        Best candidate of the last round.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn's.

    See Also
    --------
    BatchedHalvingGridSearchCV : Tries all combinations.
    sklearn.model_selection.HalvingRandomSearchCV : The search that this one does.

    Notes
    -----
    `sknn.engine.train_many` trains the networks. Those in training take a quarter of the free
    memory at most, and so do those waiting to be scored. On a cluster, in
    ``joblib.parallel_config("dask")`` for instance, workers train and score groups of candidates.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016, arXiv:1502.07943.

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
    >>> from sknn.model_selection import BatchedHalvingRandomSearchCV
    >>> drawn = {"deepmlpclassifier__learning_rate_init": loguniform(1e-3, 1e-1)}
    >>> search = BatchedHalvingRandomSearchCV(model, drawn, n_candidates=6, cv=3, random_state=0)
    >>> search.fit(X, y).n_candidates_
    [6, 2]
    """
