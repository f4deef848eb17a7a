"""The multilayer perceptron regressor."""

from typing import Unpack

from sknn.deep._arguments import NestedArguments
from sknn.deep._params import REGRESSOR_CONSTRAINTS
from sknn.deep._tasks import DeepRegressor
from sknn.deep.mlp._network import CONSTRAINTS, make_mlp_parts
from sknn.deep.parts._preparation import Parts
from sknn.deep.parts._targets import ValueTarget


class DeepMLPRegressor(DeepRegressor):
    """Multilayer perceptron regressor on PyTorch, a drop-in for scikit-learn's.

    Every parameter of ``sklearn.neural_network.MLPRegressor`` is here under its name, in its
    order, with its default and meaning. With ``standardize_target=False`` the same
    `random_state` gives the same network up to rounding.

    Parameters
    ----------
    loss : {'squared_error', 'poisson', 'absolute_error', 'huber', 'gamma', 'quantile', \
            'gaussian_nll'} or callable, default='squared_error'
        Half the squared error, or half the Poisson deviance with an exponential link, which
        needs y >= 0; absolute error; Huber's (``loss__delta=1.35``, in standardised units); half
        the gamma deviance, y > 0; the pinball loss of `quantile`, whose predictions never cross;
        the likelihood of a normal distribution, for ``predict(X, return_std=True)``. Or
        ``loss(output, target)`` of tensors. Summed over outputs, averaged over rows.
    hidden_layer_sizes : int or array-like of int of shape (n_hidden_layers,), default=(100,)
        Units in each hidden layer, from the inputs on; an int is one layer, ``()`` none.
    activation : str, callable, or list of these, default='relu'
        Of the hidden layers, or of each: {'relu', 'tanh', 'logistic', 'sigmoid', 'identity', \
            'elu', 'gelu', 'leaky_relu', 'selu', 'silu', 'softplus'}, see `sknn.activations`;
        ``'sigmoid'`` is ``'logistic'``. A function of a tensor; or a ``torch.nn.Module``, its
        class or a factory, such as ``torch.nn.PReLU``.
    solver : {'adam', 'sgd', 'lbfgs', 'adamw', 'nadam', 'rmsprop'} or class, default='adam'
        Adam [1]_, with decoupled `weight_decay` or Nesterov momentum, RMSprop, stochastic
        gradient descent; or L-BFGS on all rows at once (SciPy's), which is often best for up to
        a few thousand rows. Or a class of ``torch.optim``, its arguments as ``solver__<name>``.
    alpha : float, default=0.0001
        L2 penalty, divided by the summed sample weights of the batch; see `l1_ratio`.
    batch_size : int or 'auto', default='auto'
        Rows in a mini-batch; ``'auto'`` is ``min(200, n_samples)``. Not for 'lbfgs'.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'plateau'} or \
            class, default='constant'
        Schedule. Of 'sgd' alone, as in scikit-learn: ``learning_rate_init / t ** power_t`` after
        each epoch, with t the rows seen; or divided by 5 whenever training has stalled, see
        `n_iter_no_change`, until it is at most 1e-6. Of every stochastic solver: half a cosine
        down over `max_iter` epochs; up and down in one cycle; or halved when training stalls for
        half of `n_iter_no_change`. Or a class of ``torch.optim.lr_scheduler``, its arguments as
        ``learning_rate__<name>``.
    learning_rate_init : float, default=0.001
        First step size; the largest one of 'one_cycle'.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        Maximum number of epochs, or iterations of 'lbfgs'.
    shuffle : bool, default=True
        Draw a new order of the rows for each epoch.
    random_state : int, RandomState instance or None, default=None
        Draws first weights, validation rows, the order of rows and dropout. An int gives the same
        model bit for bit on one machine; None a new one each time. NumPy's and torch's global
        generators are never touched.
    tol : float, default=1e-4
        Smallest improvement of loss or validation score that counts; for 'lbfgs' the largest
        entry of the gradient at which to stop.
    verbose : bool or int, default=False
        1 shows a bar in a terminal or notebook (with rich), elsewhere at most twenty lines; 2 a
        line an epoch.
    warm_start : bool, default=False
        Let `fit` go on from the weights of the call before; if Ctrl-C ended that one, to the same
        model as without. The architecture must be the same.
    momentum : float, default=0.9
        Of 'sgd', in [0, 1].
    nesterovs_momentum : bool, default=True
        Nesterov's form of the momentum.
    early_stopping : bool, default=False
        Hold out `validation_fraction` of the rows, or take ``X_val``, stop when their score
        stalls, and keep the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of rows held out by `early_stopping`, in [0, 1).
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of Adam's first and second moment, in [0, 1).
    epsilon : float, default=1e-8
        Guards Adam's division.
    n_iter_no_change : int or inf, default=10
        Training stops, or 'adaptive' slows down, after more than so many epochs in a row without
        an improvement by `tol`.
    max_fun : int, default=15000
        Most evaluations of the loss by 'lbfgs'.
    quantile : float or array-like of increasing floats, default=None
        Level or levels of ``loss='quantile'``, in (0, 1); None is the median. With validation
        rows (`early_stopping` or ``X_val``) each is shifted after training so that its share of
        them lies below [3]_: do so, for a network sees too little spread in rows it has learned.
    l1_ratio : float, default=0.0
        Share of L1 in the penalty ``alpha * ((1 - l1_ratio) / 2 * |w|² + l1_ratio * |w|₁)``.
    weight_decay : float, default=0.01
        Of 'adamw': before each step weights shrink by this times the learning rate.
    warmup_epochs : float, default=0
        Epochs over which the learning rate rises from 0, whatever the schedule.
    max_grad_norm : float, default=None
        Longer gradients are shortened to this length.
    n_hidden_layers, hidden_width : int, default=None
        Number and width of hidden layers, to search over; each goes before what
        `hidden_layer_sizes` says of it.
    dropout : float or array-like of shape (n_hidden_layers,), default=0.0
        Share of hidden units to leave out in training, in [0, 1).
    normalization : {'batch', 'layer'}, default=None
        Of hidden layers, before the activation.
    residual : bool, default=False
        Add what comes into a hidden layer to what leaves it, where the widths agree.
    initializer : str or callable, default='auto'
        First weights: as scikit-learn's, {'glorot_uniform', 'glorot_normal', 'he_uniform', \
            'he_normal', 'lecun_uniform', 'lecun_normal', 'orthogonal', 'zeros'}, or
        ``initializer(weight, random_state)``, which changes a tensor in place.
    module : class or callable, default=None
        A network of your own in place of hidden layers: a ``torch.nn.Module`` class, or a
        function that returns a new one, with raw predictions. It is given those of ``n_inputs,
        n_outputs, n_numeric, cardinalities, length`` that it names, and ``module__<name>``.
    scoring : str, callable or None, default=None
        Score of validation rows: ``'loss'`` for the negative loss, a name of
        :func:`~sklearn.metrics.get_scorer_names`, or ``scorer(estimator, X, y)``, which is given
        X=None and whose predictions are those of the rows. None is R², or
        D² for quantiles, or the loss where that says more.
    callbacks : list or tuple, default=None
        Callbacks of skorch, or functions of an epoch's row of `history_`, which may return True
        to stop. Those of scikit-learn (1.9) go into ``set_callbacks``.
    categorical_features : 'from_dtype', None or array-like of {bool, int, str}, \
            default='from_dtype'
        Which columns of X are categories, as in ``HistGradientBoosting``: up to 9 levels become
        columns, more an embedding. See `sknn.preprocessing.TabularEncoder`, also for missing
        values.
    scale : {'auto', 'standard', 'robust', 'quantile'} or None, default='auto'
        How numeric columns are scaled. ``'auto'`` leaves tables of numbers alone as they are, and
        standardises numbers beside categories.
    device : str, default='auto'
        Where to compute: ``'auto'`` takes a GPU if torch sees one and the work is large (1e7
        floating-point operations a step, 5e11 in all), else the CPU; or torch's own names, as
        ``'cpu'``, ``'cuda'``, ``'cuda:1'``, ``'mps'``.
    dtype : {'auto', 'float32', 'float64', 'tf32', 'bfloat16'}, default='auto'
        In which to compute. ``'auto'`` follows X, as scikit-learn does; ``'float32'`` is about
        twice as fast. The last two keep weights in float32 and let GPUs, or all devices, be less
        precise in products.
    compile : bool, default=False
        Train through ``torch.compile``, which takes long to start.
    standardize_target : bool, default=True
        Train on ``(y - target_mean_) / target_scale_`` and undo it in `predict`, so that targets
        of any scale can be learned; losses are in those units. Not for 'poisson'; 'gamma' is
        divided by its mean.
    **nested : dict
        ``loss__<name>``, ``solver__<name>``, ``learning_rate__<name>``, ``module__<name>``:
        arguments of what those parameters choose.

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        Weighted mean and standard deviation of the first call's y; 0 and 1 where y is not
        standardised. A prediction is ``output * target_scale_ + target_mean_``.
    coefs_, intercepts_ : list of ndarray
        Weights, of shape (n_inputs, n_outputs), and biases, of shape (n_outputs,), of each
        layer. Set an item, or on the CPU write into an array, to change the network.
    net_ : skorch.NeuralNet
        The trained net, with ``history`` and ``save_params``.
    module_ : torch.nn.Module
        Its network.
    device_ : str
        Where it is.
    runner_ : str
        What computed the epochs, such as 'handwritten' or 'autograd'.
    runner_reasons_ : dict of str to str
        Why faster ways to compute the epochs were not taken, by their names.
    loss_, best_loss_ : float
        Training loss of the last epoch, and the smallest; the latter is None with
        `early_stopping`.
    loss_curve_ : list of float
        Training loss, an entry an epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
        Score and loss of the validation rows, an entry an epoch; None without such rows.
    history_ : dict of list of float
        An entry an epoch of ``'loss'``, ``'learning_rate'`` and ``'time'`` in seconds, and with
        validation rows ``'score'``, ``'validation_loss'`` and ``'validation_score'``; a data
        frame for ``pandas.DataFrame``. 'score' is of the outputs during the epoch.
    best_validation_score_ : float or None
        With `early_stopping`, the largest score.
    best_iter_ : int
        The epoch whose weights the network has.
    n_iter_ : int
        Epochs of the last call.
    t_ : int
        Training rows seen, over all epochs.
    n_layers_, n_outputs_ : int
        Layers of units, with inputs and outputs; units of the last.
    out_activation_ : str
        Link of the last layer: 'identity'; 'exp' for Poisson and gamma; 'increments' for several
        quantiles; 'mean_and_softplus' for 'gaussian_nll'.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where all are strings.

    See Also
    --------
    DeepMLPClassifier : The same for classes.
    sklearn.neural_network.MLPRegressor : What it replaces.

    Notes
    -----
    It differs from scikit-learn's where that is silently wrong: a target is standardised,
    `warm_start` with another architecture is an error, a negative y with a Poisson loss too, the
    loss of several outputs is their sum (scikit-learn reports the mean, but follows the gradient
    of the sum), training that diverges is an error that names likely causes, and fitting leaves
    global random states alone.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015,
       arXiv:1412.6980.
    .. [2] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by
       back-propagating errors", Nature 323, 1986, doi:10.1038/323533a0.
    .. [3] Y. Romano, E. Patterson and E. J. Candès, "Conformalized quantile regression", NeurIPS
       2019, arXiv:1905.03222.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import DeepMLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = 1e4 + 100 * X[:, 0]
    >>> DeepMLPRegressor(random_state=0).fit(X, y).score(X, y) > 0.99
    True
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        **CONSTRAINTS,
        **REGRESSOR_CONSTRAINTS,
    }

    _nested = ("module", "solver", "learning_rate", "loss")

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        quantile=None,
        l1_ratio=0.0,
        weight_decay=0.01,
        warmup_epochs=0,
        max_grad_norm=None,
        n_hidden_layers=None,
        hidden_width=None,
        dropout=0.0,
        normalization=None,
        residual=False,
        initializer="auto",
        module=None,
        scoring=None,
        callbacks=None,
        categorical_features="from_dtype",
        scale="auto",
        device="auto",
        dtype="auto",
        compile=False,
        standardize_target=True,
        **nested: Unpack[NestedArguments],
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.quantile = quantile
        self.l1_ratio = l1_ratio
        self.weight_decay = weight_decay
        self.warmup_epochs = warmup_epochs
        self.max_grad_norm = max_grad_norm
        self.n_hidden_layers = n_hidden_layers
        self.hidden_width = hidden_width
        self.dropout = dropout
        self.normalization = normalization
        self.residual = residual
        self.initializer = initializer
        self.module = module
        self.scoring = scoring
        self.callbacks = callbacks
        self.categorical_features = categorical_features
        self.scale = scale
        self.device = device
        self.dtype = dtype
        self.compile = compile
        self.standardize_target = standardize_target
        self._set_nested(nested)

    def _make_parts(self) -> Parts:
        target = ValueTarget.of(self)
        return make_mlp_parts(self, target, scores_loss=target.scores_loss)
