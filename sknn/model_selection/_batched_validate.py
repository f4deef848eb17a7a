"""scikit-learn's ``cross_validate``, with the networks of all folds trained together."""

from sklearn.model_selection import cross_validate

from sknn.model_selection._evaluation import Evaluation, EvaluationInterrupted


def batched_cross_validate(
    estimator, X, y=None, *, groups=None, cv=None, n_jobs=None, verbose=0, params=None, **options
):
    """Evaluate an estimator by cross-validation, the networks of all folds trained together.

    The results are those of ``sklearn.model_selection.cross_validate``, up to rounding.

    Parameters
    ----------
    estimator : estimator object
        Network of this package, or a pipeline that ends in one; all others are fitted one by one.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets.
    groups : array-like of shape (n_samples,), default=None
        Groups of the samples, for the splitter.
    cv : int, splitter or iterable, default=None
        Folds.
    n_jobs : int, default=None
        Cores to train on; None is 1 unless ``joblib.parallel_config`` says otherwise.
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
    try:
        with Evaluation(verbose).activate():
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
