"""The regressor for tables."""

from typing import Any

from sknn._sklearn import StrOptions
from sknn._suggestions import explain_unknown_parameters
from sknn.deep._params import REGRESSOR_CONSTRAINTS
from sknn.deep.parts._targets import ValueParts, ValueTarget
from sknn.deep.tabular._ensemble import CONSTRAINTS, ELSEWHERE, MembersPredictor, make_tabular_parts
from sknn.deep.tasks._regressor import DeepRegressor
from sknn.losses import VALUE_LOSSES, Loss, find_value_loss


class TabularMLPRegressor(DeepRegressor):
    """Regressor for tables as they come: a small ensemble of MLPs that needs no tuning [1]_ [2]_.

    Numbers, categories, text and missing values go in as they are, and y in its own units. Each
    member of the ensemble is scored on held-out samples of its own; together these are all samples.

    Parameters
    ----------
    n_members : int, default=8
        Number of ensemble members. Each holds out its own share of the samples, one in `n_members`,
        or one in five if there are fewer members. Predictions are means over the members.
    n_hidden_layers, hidden_width : int, default=2, 128
        Number of hidden layers of a member, with ReLU, and number of units in each.
    dropout : float, default=0.1
        Share of hidden units that are set to 0 in training, in [0, 1).
    numerical_embedding : {'piecewise', 'periodic'} or None, default='piecewise'
        Embedding of each number [3]_: linear between knots, which lie where a decision tree on that
        column would cut, for classes on both sides of a cut; or periodic, made of cosines. Of more
        than 256 columns the best have one: those on which a tree of four leaves explains most of y.
        Columns whose single values tell more than thresholds, such as numbers of things, also have
        an embedding of each value.
    embedding_width : int, default=8
        Length of these embeddings, and of those of categories with more than 9 levels.
    learning_rate_init : float, default=0.002
        Learning rate.
    weight_decay : float, default=0.2
        Decoupled weight decay of 'adamw' and 'muon': before each step weights shrink by this times
        the learning rate.
    batch_size : int or 'auto', default='auto'
        Number of samples in a mini-batch; ``'auto'`` is the power of two next to ``n_samples /
        40``, from 32 to 256; from 80,000 samples on it is 512, and from 160,000 on 1,024, with the
        learning rate multiplied by ``sqrt(batch_size / 256)``.
    max_iter : int, default=200
        Maximum number of epochs.
    n_iter_no_change : int, default=8
        Number of epochs in a row without a better score on held-out samples that are tolerated, see
        `history_`. Training stops after more than that, and more than 0.3 times those up to the
        best epoch.
    time_limit : float, default=None
        Maximum duration of `fit` in seconds; training ends after the step at hand, and the held-out
        samples are scored once more.
    categorical_features : 'from_dtype', None or array-like of {bool, int, str}, \
            default='from_dtype'
        Columns of X that are categories, as in ``HistGradientBoosting``: those of up to 9 levels
        are one-hot encoded, others get an embedding. See `sknn.preprocessing.TabularEncoder`, also
        for missing values.
    loss : {'squared_error', 'absolute_error', 'huber', 'poisson', 'gamma', 'quantile', \
            'gaussian_nll', 'bounded', 'ordered_bins'}, default='squared_error'
        Loss function, which decides what is predicted: means, medians, something between the two,
        means of positive y, quantiles, mean and standard deviation of y, or means within `y_range`.
    quantile : float or array-like of increasing floats, default=None
        Level or levels of ``loss='quantile'``, in (0, 1); None is the median. Where samples are
        held out, each quantile is shifted after training so that its share of them lies below, as a
        network sees too little spread in samples that it has learned.
    callbacks : list or tuple, default=None
        Callbacks of skorch, or functions of an epoch's entry of `history_`, which may return True
        to stop. Callbacks of scikit-learn (1.9) go into ``set_callbacks``.
    verbose : bool or int, default=False
        Verbosity: 1 shows a bar in a terminal or notebook (with rich), and at most twenty lines
        elsewhere; 2 prints the choice of `runner_` and a line per epoch.
    device : str, default='auto'
        Device to compute on: ``'auto'`` is a GPU if torch sees one and the work is large (1e7
        floating-point operations per step, 5e11 in all), else the CPU; or a name of torch's, such
        as ``'cpu'``, ``'cuda'``, ``'cuda:1'`` or ``'mps'``.
    dtype : {'auto', 'float32', 'float64', 'tf32', 'bfloat16'}, default='auto'
        Floating-point type to compute in. ``'auto'`` is float64 for fewer than 1,000 samples, else
        float32. 'tf32' and 'bfloat16' keep weights in float32 and let GPUs, or all devices, be less
        precise in matrix products. Scales are always computed in float64.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights, the held-out samples, the order of the samples, and dropout. An
        int gives the same model, bit for bit, on one machine; None gives a new one each time.
        Global generators of NumPy and torch are never touched.
    text_features : 'auto', None, or list of {int, str}, default='auto'
        Columns of text that are not categories, by positions or names, which become the tf-idf
        weights of their words, reduced by a truncated SVD. ``'auto'`` finds text in which most
        values differ, or long text; see `sknn.preprocessing.TabularEncoder`.
    checkpoint : str or path-like, default=None
        Folder for the state of training, from which the same `fit` goes on after its process was
        killed, to the same model; see "Checkpoints" in the guide.
    checkpoint_every : int, str, timedelta or None, default=None
        Time between checkpoints: epochs, or ``'30s'``, ``'5min'``, ``'1h'``. None is a second, or
        more, so that writing takes 2 % of the time at most.
    scoring : str, callable or None, default=None
        Score of held-out samples by which the epoch is chosen: ``'loss'`` for the negative loss, a
        name of :func:`~sklearn.metrics.get_scorer_names`, or ``scorer(estimator, X, y)``, which is
        given X=None and whose predictions are those of the held-out samples. None is the negative
        loss; of classes that of calibrated probabilities.
    y_range : tuple of two floats, default=None
        Smallest and largest value of y, which predictions never leave, such as ``(1, 5)`` of
        ratings. It is for the default `loss`, whose place ``'bounded'`` takes: cross-entropy of y
        as a share of its range, with a sigmoid at the output; and for ``'ordered_bins'``, the
        cross-entropy of bins along the range.
    n_processes : int, 'world', 'shards' or None, default=None
        Number of processes that share the samples of each mini-batch, which this machine starts; or
        ``'world'`` for those of ``torch.distributed`` (torchrun), of which each calls `fit` with
        the same samples. The network is that of one process up to rounding. With ``'shards'`` each
        of them has samples of its own; see "Several processes" in the guide.
    solver : {'adamw', 'muon'}, default='adamw'
        Optimizer: AdamW; or Muon, which orthogonalizes the momentum of hidden layers' weights,
        member by member, and leaves the rest to AdamW. See "Solvers" in the guide.
    target_encoding : int or None, default=None
        Number of levels above which the means of y for the levels of a categorical column stand
        beside its embedding; training samples get those of other samples. None is never; see
        `sknn.preprocessing.TabularEncoder`, and the guide for when it pays.
    pretrained : AutoencoderTransformer or None, default=None
        Autoencoder whose encoder, its code included, gives the first weights of the first hidden
        layers, as far as they have the same widths; its scales and levels are taken over, too. One
        that is fitted stays as it is, also in clones. One that is not fitted is cloned, and fitted
        on X, and on ``X_unlabelled`` if `fit` is given some.

    Attributes
    ----------
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of each column in what shuffling columns one by one adds to the loss of held-out
        samples, at most 4,096 of them.
    history_ : dict of list of float
        ``'loss'``, ``'learning_rate'`` and ``'time'`` (in seconds) of each epoch, and
        ``'validation_loss'`` and ``'validation_score'``, its negative, of the held-out samples;
        ``pandas.DataFrame`` makes a table of it.
    loss_curve_, validation_loss_curve_ : list of float
        Losses of `history_`. The first is the mean over all members before each step; the second is
        None if no sample was held out.
    validation_scores_ : list of float or None
        Scores of `history_`; None if no sample was held out.
    loss_ : float
        Training loss of the last epoch.
    best_loss_, best_validation_score_ : float or None
        Smallest training loss if no sample was held out, else the largest score; the other is None.
    n_iter_, best_iter_ : int
        Number of epochs, and the epoch whose weights the network has.
    t_ : int
        Number of training samples seen, over all epochs.
    net_ : skorch.NeuralNet
        Trained net, with ``history`` and ``save_params``.
    module_ : torch.nn.Module
        Trained network, all members in one, see `sknn.architectures.TabularEnsemble`.
    device_ : str
        Device of the network.
    runner_ : str
        Name of the runner that computed the epochs, such as 'handwritten' or 'autograd'.
    runner_reasons_ : dict of str to str
        Reasons why faster runners were not taken, by their names.
    n_layers_, n_outputs_ : int
        Number of layers of units of a member, with inputs and outputs, and number of output units.
    out_activation_ : str
        Output activation.
    coefs_, intercepts_ : object
        None: they raise an AttributeError, as members have no matrices of their own, see `module_`.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.
    target_mean_, target_scale_ : ndarray of shape (n_columns,)
        Weighted mean and standard deviation of y, by which it was standardised.

    See Also
    --------
    TabularMLPClassifier : The estimator for classification.
    DeepMLPRegressor : One network, with scikit-learn's parameters and defaults.
    sklearn.ensemble.HistGradientBoostingRegressor : Trees for the same tables.

    Notes
    -----
    Choices that are made without being asked for, and their reasons; see also the user guide:

    - Numbers become quantiles of the normal distribution: no outlier, and no unit, matters.
    - Weights are averaged over the last two epochs, or the last tenth of all steps if that is
      shorter, at a constant learning rate: as good as letting it fall, and training can stop at
      any epoch. The epoch is chosen by the loss on held-out samples, those of all members together;
      on noisy tables that is after a few epochs, on tables without noise after hundreds.
    - y is standardised, and predictions are in its units.
    - With numba (the extra ``fast``) fits of some size are computed by compiled passes in float32.
      Without it, with the default `dtype`, steps of training round values and products to bfloat16
      on CPUs that have instructions for it: to one part in 512, while dropout takes one unit in
      five. Weights, held-out scores and predictions are float32, and with ``dtype='float32'`` all
      is.
    - With fewer than 32 samples (or sum of sample weights) no sample is held out, there is no
      dropout, and there are at most 60 epochs.
    - Of large tables at most 50,000 samples are held out, by all members together, and knots are
      those of 50,000 samples.
    - With ``X_val`` in `fit` all members learn from all samples of X, and X_val chooses the epoch.

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
    >>> print(f"{model.score(X, y):.1f}")
    0.6
    >>> mean, std = model.predict(X[:3], return_std=True)
    >>> mean.shape, std.shape
    ((3,), (3,))
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        **CONSTRAINTS,
        "loss": [StrOptions(set(VALUE_LOSSES))],
        "quantile": REGRESSOR_CONSTRAINTS["quantile"],
        "y_range": ["array-like", None],
    }

    @explain_unknown_parameters(ELSEWHERE)
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
        text_features="auto",
        checkpoint=None,
        checkpoint_every=None,
        scoring=None,
        y_range=None,
        n_processes=None,
        solver="adamw",
        target_encoding=None,
        pretrained=None,
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
        self.text_features = text_features
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.scoring = scoring
        self.y_range = y_range
        self.n_processes = n_processes
        self.solver = solver
        self.target_encoding = target_encoding
        self.pretrained = pretrained

    def _make_parts(self) -> ValueParts:
        loss: Loss = self.loss
        settings: dict[str, Any] = {}
        if self.y_range is not None:
            if not (in_range := find_value_loss(loss).in_range):
                raise ValueError(
                    f"y_range={self.y_range!r} is for losses of y in a range, and for the default "
                    f"one, which becomes 'bounded'; but loss is {loss!r}. "
                    "Leave one of them out."
                )
            loss, settings = in_range, {"y_range": self.y_range}
        target = ValueTarget(
            loss,
            self.quantile,
            loss_params=settings,
            predictor=MembersPredictor(),
            scales_all=True,
        )
        return make_tabular_parts(self, target, scores_loss=True)
