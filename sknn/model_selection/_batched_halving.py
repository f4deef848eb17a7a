"""scikit-learn's successive halving, with the networks of each round trained together."""

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV, HalvingRandomSearchCV

from sknn.model_selection._evaluation import BatchedSearch


class BatchedHalvingGridSearchCV(BatchedSearch, HalvingGridSearchCV):
    """Successive halving [1]_ of a grid, the networks of a round trained together.

    Write it for ``sklearn.model_selection.HalvingGridSearchCV``: the results are the same up to
    rounding. Ctrl-C is always an error, as a round needs all its candidates.

    Parameters
    ----------
    estimator : estimator object
        Any that scikit-learn takes there. Networks of this package, also as the last step of a
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
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As scikit-learn's. A candidate's ``mean_fit_time`` is its share of the time, in seconds,
        that those trained together took.
    best_estimator_ : estimator object
        Best candidate of the last round, fitted on all samples.
    best_params_, best_score_, best_index_ : dict, float, int
        Its parameters, its mean score on the folds, and its place in ``cv_results_``.
    n_resources_, n_candidates_ : list of int
        Resource of a candidate, and number of candidates, in each round.
    n_iterations_, n_possible_iterations_, n_required_iterations_ : int
        Rounds that there were, that the resource allows, and after which one candidate is left.
    n_remaining_candidates_, min_resources_, max_resources_ : int
        Candidates left after the last round, and the resource of the first and the largest round.
    scorer_ : callable or dict of callable
        Metric, or metrics by their names.
    multimetric_ : bool
        Whether there are several metrics.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Time of the fit on all samples, in seconds.
    classes_, feature_names_in_ : ndarray
        Those of the best candidate, if it has some.
    n_features_in_ : int
        Number of columns of X.

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

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="exhaust",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_grid,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        self.checkpoint = checkpoint


class BatchedHalvingRandomSearchCV(BatchedSearch, HalvingRandomSearchCV):
    """Successive halving [1]_ of random candidates, those of a round trained together.

    Write it for ``sklearn.model_selection.HalvingRandomSearchCV``: the results are the same up to
    rounding. Ctrl-C is always an error, as a round needs all its candidates.

    Parameters
    ----------
    estimator : estimator object
        Any that scikit-learn takes there. Networks of this package, also as the last step of a
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
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As scikit-learn's. A candidate's ``mean_fit_time`` is its share of the time, in seconds,
        that those trained together took.
    best_estimator_ : estimator object
        Best candidate of the last round, fitted on all samples.
    best_params_, best_score_, best_index_ : dict, float, int
        Its parameters, its mean score on the folds, and its place in ``cv_results_``.
    n_resources_, n_candidates_ : list of int
        Resource of a candidate, and number of candidates, in each round.
    n_iterations_, n_possible_iterations_, n_required_iterations_ : int
        Rounds that there were, that the resource allows, and after which one candidate is left.
    n_remaining_candidates_, min_resources_, max_resources_ : int
        Candidates left after the last round, and the resource of the first and the largest round.
    scorer_ : callable or dict of callable
        Metric, or metrics by their names.
    multimetric_ : bool
        Whether there are several metrics.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Time of the fit on all samples, in seconds.
    classes_, feature_names_in_ : ndarray
        Those of the best candidate, if it has some.
    n_features_in_ : int
        Number of columns of X.

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

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_candidates="exhaust",
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="smallest",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_candidates=n_candidates,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        self.checkpoint = checkpoint
