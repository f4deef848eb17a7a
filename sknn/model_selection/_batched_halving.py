"""scikit-learn's successive halving, with the networks of each round trained together."""

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV, HalvingRandomSearchCV

from sknn.model_selection._evaluation import BatchedSearch


class BatchedHalvingGridSearchCV(BatchedSearch, HalvingGridSearchCV):
    """Successive halving [1]_ of a grid, with networks of a round that are trained together.

    It takes the place of ``sklearn.model_selection.HalvingGridSearchCV``, with the same results
    up to rounding. Ctrl-C is always an error, because a round needs all its candidates.

    Parameters
    ----------
    estimator : estimator object
        Estimator, as in scikit-learn. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_grid : dict or list of dict
        Values to try for each parameter, by its name.
    factor : int or float, default=3
        Factor by which the resource grows and the number of candidates falls from round to round.
    resource : 'n_samples' or str, default='n_samples'
        Resource that grows from round to round: samples, or a parameter such as ``'max_iter'``.
    max_resources : int or 'auto', default='auto'
        Maximum of the resource; ``'auto'`` is all samples.
    min_resources : 'exhaust', 'smallest' or int, default='exhaust'
        Resource of the first round.
    aggressive_elimination : bool, default=False
        Whether to repeat the first round until so few candidates are left that the last round can
        use all resources.
    cv : int, splitter or iterable, default=5
        Number of folds, or a splitter or the folds themselves; None is 5 folds.
    scoring : str or callable, default=None
        Metric; None is the estimator's ``score``.
    refit : bool, default=True
        Whether to fit the best candidate on all samples.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; other candidates are not affected.
    return_train_score : bool, default=True
        Whether to score the training samples, too.
    random_state : int, RandomState instance or None, default=None
        Source of the samples of each round, if the resource is 'n_samples'.
    n_jobs : int, default=None
        Number of cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    verbose : int, default=0
        Verbosity. From 1 on a bar over the epochs of all networks is shown, if the package rich is
        installed; otherwise it is as in scikit-learn.
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        Results, as in scikit-learn. The ``mean_fit_time`` of a candidate is its share of the time,
        in seconds, of all networks that were trained together.
    best_estimator_ : estimator object
        Best candidate of the last round, fitted on all samples.
    best_params_, best_score_, best_index_ : dict, float, int
        Parameters of the best candidate, its mean score, and its index in ``cv_results_``.
    n_resources_, n_candidates_ : list of int
        Resource of a candidate, and number of candidates, in each round.
    n_iterations_, n_possible_iterations_, n_required_iterations_ : int
        Number of rounds: that were made, that the resource allows, and after which one candidate is
        left.
    n_remaining_candidates_, min_resources_, max_resources_ : int
        Number of candidates after the last round, and resources of the first and the largest round.
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
    """Successive halving [1]_ of random candidates, which are trained together in each round.

    It takes the place of ``sklearn.model_selection.HalvingRandomSearchCV``, with the same results
    up to rounding. Ctrl-C is always an error, because a round needs all its candidates.

    Parameters
    ----------
    estimator : estimator object
        Estimator, as in scikit-learn. Networks of this package, also as the last step of a
        pipeline, are trained together; all others are fitted one by one in the same call.
    param_distributions : dict or list of dict
        Distribution of each parameter, or values to draw from, by its name.
    n_candidates : 'exhaust' or int, default='exhaust'
        Number of candidates to draw; ``'exhaust'`` is the number with which the last round uses
        `max_resources`.
    factor : int or float, default=3
        Factor by which the resource grows and the number of candidates falls from round to round.
    resource : 'n_samples' or str, default='n_samples'
        Resource that grows from round to round: samples, or a parameter such as ``'max_iter'``.
    max_resources : int or 'auto', default='auto'
        Maximum of the resource; ``'auto'`` is all samples.
    min_resources : 'exhaust', 'smallest' or int, default='smallest'
        Resource of the first round.
    aggressive_elimination : bool, default=False
        Whether to repeat the first round until so few candidates are left that the last round can
        use all resources.
    cv : int, splitter or iterable, default=5
        Number of folds, or a splitter or the folds themselves; None is 5 folds.
    scoring : str or callable, default=None
        Metric; None is the estimator's ``score``.
    refit : bool, default=True
        Whether to fit the best candidate on all samples.
    error_score : 'raise' or float, default=np.nan
        Score of a candidate whose training fails or diverges; other candidates are not affected.
    return_train_score : bool, default=True
        Whether to score the training samples, too.
    random_state : int, RandomState instance or None, default=None
        Source of the candidates, and of the samples of each round if the resource is 'n_samples'.
    n_jobs : int, default=None
        Number of cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
    verbose : int, default=0
        Verbosity. From 1 on a bar over the epochs of all networks is shown, if the package rich is
        installed; otherwise it is as in scikit-learn.
    checkpoint : str or path-like, default=None
        Folder for the results on finished folds, and the state of networks in training, from which
        the same call goes on after its process was killed; see "Checkpoints" in the guide.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        Results, as in scikit-learn. The ``mean_fit_time`` of a candidate is its share of the time,
        in seconds, of all networks that were trained together.
    best_estimator_ : estimator object
        Best candidate of the last round, fitted on all samples.
    best_params_, best_score_, best_index_ : dict, float, int
        Parameters of the best candidate, its mean score, and its index in ``cv_results_``.
    n_resources_, n_candidates_ : list of int
        Resource of a candidate, and number of candidates, in each round.
    n_iterations_, n_possible_iterations_, n_required_iterations_ : int
        Number of rounds: that were made, that the resource allows, and after which one candidate is
        left.
    n_remaining_candidates_, min_resources_, max_resources_ : int
        Number of candidates after the last round, and resources of the first and the largest round.
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
