"""The regressor for tables."""

from sknn._sklearn import StrOptions
from sknn.deep._params import REGRESSOR_CONSTRAINTS
from sknn.deep._tasks import DeepRegressor
from sknn.deep.parts._preparation import Parts
from sknn.deep.parts._targets import ValueTarget
from sknn.deep.tabular._ensemble import CONSTRAINTS, MembersPredictor, make_tabular_parts
from sknn.losses import VALUE_LOSSES


class TabularMLPRegressor(DeepRegressor):
    """Regressor for tables as they come: a small ensemble of MLPs that needs no tuning [1]_ [2]_.

    Numbers, categories, text and missing values go in as they are, and y in its own units. Each
    network of the ensemble is judged by rows that it has not learned from; together these are all
    rows.

    Parameters
    ----------
    n_members : int, default=8
        Networks that learn side by side, each from other rows: one in `n_members` of them (of five
        at least) is left out by each. Predictions are means over them.
    n_hidden_layers, hidden_width : int, default=2, 128
        Hidden layers of a member, with ReLU, and units of each.
    dropout : float, default=0.1
        Share of hidden units to leave out in training, in [0, 1).
    numerical_embedding : {'piecewise', 'periodic'} or None, default='piecewise'
        What stands beside each number [3]_: a vector that is linear between knots, which lie where
        a decision tree on that column would cut; or a vector made of waves. Nothing stands there
        in tables with more than 256 columns of numbers.
    embedding_width : int, default=8
        Length of these vectors, and of those of categories with more than 9 levels.
    learning_rate_init : float, default=0.002
        Step size of AdamW.
    weight_decay : float, default=0.2
        Before each step weights shrink by this times the learning rate.
    batch_size : int or 'auto', default='auto'
        Rows in a mini-batch; ``'auto'`` is the power of two next to ``n_samples / 40``, from 32
        to 256.
    max_iter : int, default=200
        Maximum number of epochs.
    n_iter_no_change : int, default=8
        Training stops after more than so many epochs, and more than 0.3 times those up to the
        best, without a smaller loss on held-out samples.
    time_limit : float, default=None
        Seconds of `fit` after which training ends, after the step at hand. The held-out samples are
        then scored once more.
    categorical_features : 'from_dtype', None or array-like of {bool, int, str}, \
            default='from_dtype'
        Which columns of X are categories, as in ``HistGradientBoosting``: up to 9 levels become
        columns, more a vector. See `sknn.preprocessing.TabularEncoder`, also for missing values.
    loss : {'squared_error', 'absolute_error', 'huber', 'gamma', 'quantile', 'gaussian_nll'}, \
            default='squared_error'
        What to minimise: expected values, medians, something between the two, expected values of
        positive y, quantiles, or a mean and a standard deviation of y.
    quantile : float or array-like of increasing floats, default=None
        Level or levels of ``loss='quantile'``, in (0, 1); None is the median. Each is shifted so
        that its share of the held-out samples lies below.
    callbacks : list or tuple, default=None
        Callbacks of skorch, or functions of an epoch's row of `history_`, which may return True
        to stop. Those of scikit-learn (1.9) go into ``set_callbacks``.
    verbose : bool or int, default=False
        1 shows a bar in a terminal or notebook (with rich), elsewhere at most twenty lines; 2 a
        line an epoch.
    device : str, default='auto'
        Where to compute: ``'auto'`` takes a GPU if torch sees one and the work is large (1e7
        floating-point operations a step, 5e11 in all), else the CPU; or torch's own names, as
        ``'cpu'``, ``'cuda'``, ``'cuda:1'``, ``'mps'``.
    dtype : {'auto', 'float32', 'float64', 'tf32', 'bfloat16'}, default='auto'
        In which to compute; ``'auto'`` is float64 for fewer than 1,000 rows, else float32. The
        last two keep weights in float32 and let GPUs, or all devices, be less precise in products.
        Scales are always computed in float64.
    random_state : int, RandomState instance or None, default=None
        Draws weights, the rows that members leave out, the order of rows and dropout. An int gives
        the same model bit for bit on one machine. Global generators are never touched.

    Attributes
    ----------
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of a column in what shuffling columns one by one adds to the loss on held-out samples,
        at most 4,096 of them.
    history_ : dict of list of float
        An entry an epoch of ``'loss'``, ``'validation_loss'`` and ``'validation_score'``, its
        negative, of the held-out samples, ``'learning_rate'`` and ``'time'`` in seconds; it makes a
        ``pandas.DataFrame``.
    loss_curve_, validation_loss_curve_ : list of float
        The same losses. The first is the mean over all members before each step; the second is
        None where nothing was left out.
    validation_scores_ : list of float or None
        The scores of `history_`; None where nothing was left out.
    loss_ : float
        Training loss of the last epoch.
    best_loss_, best_validation_score_ : float or None
        The smallest training loss where nothing was left out, else the largest score; the other
        is None.
    n_iter_, best_iter_ : int
        Epochs, and the one whose weights the network has.
    t_ : int
        Training rows seen, over all epochs.
    net_ : skorch.NeuralNet
        The trained net.
    module_ : torch.nn.Module
        Its network, all members in one, see `sknn.architectures.TabularEnsemble`.
    device_ : str
        Where it is.
    runner_ : str
        What computed the epochs, such as 'handwritten' or 'autograd'.
    runner_reasons_ : dict of str to str
        Why faster ways to compute the epochs were not taken, by their names.
    n_layers_, n_outputs_ : int
        Layers of units of a member, with inputs and outputs; units of the last.
    out_activation_ : str
        Link of the last layer.
    coefs_, intercepts_ : object
        Raise an AttributeError: members have no matrices of their own, see `module_`.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where all are strings.
    target_mean_, target_scale_ : ndarray of shape (n_columns,)
        By which y was standardised.

    See Also
    --------
    TabularMLPClassifier : The same for classes.
    DeepMLPRegressor : One network, with scikit-learn's parameters and defaults.
    sklearn.ensemble.HistGradientBoostingRegressor : Trees for the same tables.

    Notes
    -----
    What is done without being asked, and why, see also the user guide:

    - Numbers become quantiles of the normal distribution: no outlier, and no unit, matters.
    - Weights are averaged over the last two epochs, or the last tenth of all steps if that is
      shorter, at a constant learning rate: as good as letting it fall, and training can stop at
      any epoch. The epoch is chosen by the loss on held-out samples, those of all members together;
      on noisy tables that is after a few epochs, on tables without noise after hundreds.
    - y is standardised, and predictions are in its units.
    - On fewer than 64 rows (the sum of sample weights) nothing is left out, nothing dropped, and
      there are at most 60 epochs.
    - Of large tables 50,000 rows at most are left out, by all members together, and knots are those
      of 50,000 rows.
    - With ``X_val`` in `fit` all members learn from all rows of X, and X_val chooses the epoch.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and scalable predictive
       uncertainty estimation using deep ensembles", NIPS 2017, arXiv:1612.01474.
    .. [2] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: Strong pre-tuned MLPs
       and boosted trees on tabular data", NeurIPS 2024, arXiv:2407.04491.
    .. [3] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in
       tabular deep learning", NeurIPS 2022, arXiv:2203.05556.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import TabularMLPRegressor
    >>> X, y = load_diabetes(as_frame=True, return_X_y=True)
    >>> model = TabularMLPRegressor(max_iter=20, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    >>> mean, std = model.predict(X[:3], return_std=True)
    >>> mean.shape, std.shape
    ((3,), (3,))
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        **CONSTRAINTS,
        "loss": [StrOptions({name for name, loss in VALUE_LOSSES.items() if loss.learns_scaled})],
        "quantile": REGRESSOR_CONSTRAINTS["quantile"],
    }

    def __init__(
        self,
        *,
        n_members=8,
        n_hidden_layers=2,
        hidden_width=128,
        dropout=0.1,
        numerical_embedding="piecewise",
        embedding_width=8,
        learning_rate_init=0.002,
        weight_decay=0.2,
        batch_size="auto",
        max_iter=200,
        n_iter_no_change=8,
        time_limit=None,
        categorical_features="from_dtype",
        loss="squared_error",
        quantile=None,
        callbacks=None,
        verbose=False,
        device="auto",
        dtype="auto",
        random_state=None,
    ):
        self.n_members = n_members
        self.n_hidden_layers = n_hidden_layers
        self.hidden_width = hidden_width
        self.dropout = dropout
        self.numerical_embedding = numerical_embedding
        self.embedding_width = embedding_width
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.time_limit = time_limit
        self.categorical_features = categorical_features
        self.loss = loss
        self.quantile = quantile
        self.callbacks = callbacks
        self.verbose = verbose
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    def _make_parts(self) -> Parts:
        target = ValueTarget(self.loss, self.quantile, predictor=MembersPredictor())
        return make_tabular_parts(self, target, scores_loss=True)
