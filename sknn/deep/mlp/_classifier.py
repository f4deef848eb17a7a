"""The multilayer perceptron classifier."""

from typing import Unpack

import numpy as np

from sknn.deep._arguments import NestedArguments
from sknn.deep._params import CLASSIFIER_CONSTRAINTS
from sknn.deep.mlp._network import CONSTRAINTS
from sknn.deep.mlp._parts import make_mlp_parts
from sknn.deep.parts._ranking import rank_features
from sknn.deep.parts._targets import ClassParts, ClassTarget
from sknn.deep.tasks._classifier import DeepClassifier


class DeepMLPClassifier(DeepClassifier):
    """Multilayer perceptron classifier on PyTorch, a drop-in for scikit-learn's.

    Every parameter of ``sklearn.neural_network.MLPClassifier`` is here under its name, in its
    order, with its default and meaning, and the same `random_state` gives the same network up to
    rounding. By default it minimises the log loss.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int of shape (n_hidden_layers,), default=(100,)
        Number of units in each hidden layer, from the inputs on; an int is one layer, ``()`` none.
    activation : str, callable, or list of these, default='relu'
        Activation function of the hidden layers, or of each of them: {'relu', 'tanh', 'logistic',
        'sigmoid', 'identity', 'elu', 'gelu', 'leaky_relu', 'selu', 'silu', 'softplus'}, see
        `sknn.activations`; ``'sigmoid'`` is ``'logistic'``. Or a function of a tensor; or a
        ``torch.nn.Module``, its class or a factory, such as ``torch.nn.PReLU``.
    solver : {'adam', 'sgd', 'lbfgs', 'adamw', 'muon', 'nadam', 'rmsprop'} or class, default='adam'
        Optimizer: Adam [1]_, AdamW (with decoupled `weight_decay`), Muon (orthogonalized
        momentum for the weights of hidden layers, AdamW for the rest), NAdam (with Nesterov
        momentum), RMSprop or stochastic gradient descent, on mini-batches; or SciPy's L-BFGS on all
        samples at once, which is often best for up to a few thousand samples. Or a class of
        ``torch.optim``, with its arguments as ``solver__<name>``.
    alpha : float, default=0.0001
        Strength of the L2 penalty, which is divided by the sum of the sample weights of a
        mini-batch; see `l1_ratio`.
    batch_size : int or 'auto', default='auto'
        Number of samples in a mini-batch; ``'auto'`` is ``min(200, n_samples)``. It is not used by
        'lbfgs'.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'plateau'} or \
            class, default='constant'
        Schedule of the learning rate. Schedules of 'sgd' alone, as in scikit-learn: 'invscaling' is
        ``learning_rate_init / t ** power_t`` after each epoch, where t is the number of samples
        seen; 'adaptive' divides the learning rate by 5 whenever training has stalled, see
        `n_iter_no_change`, until it is at most 1e-6. Schedules of every stochastic solver: 'cosine'
        falls as half a cosine over `max_iter` epochs; 'one_cycle' rises and falls once; 'plateau'
        halves the learning rate when training stalls for half of `n_iter_no_change`. Or a class of
        ``torch.optim.lr_scheduler``, with its arguments as ``learning_rate__<name>``.
    learning_rate_init : float, default=0.001
        Initial learning rate; the largest one of 'one_cycle'.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        Maximum number of epochs, or of iterations of 'lbfgs'.
    shuffle : bool, default=True
        Whether to draw a new order of the samples for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights, the held-out samples, the order of the samples, and dropout. An
        int gives the same model, bit for bit, on one machine; None gives a new one each time.
        Global generators of NumPy and torch are never touched.
    tol : float, default=1e-4
        Smallest improvement of the loss or validation score that counts; for 'lbfgs' the largest
        entry of the gradient at which it stops.
    verbose : bool or int, default=False
        Verbosity: 1 shows a bar in a terminal or notebook (with rich), and at most twenty lines
        elsewhere; 2 prints the choice of `runner_` and a line per epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous call; if Ctrl-C ended that one, it
        leads to the same model as without. The architecture, and for a classifier the classes, must
        be the same.
    momentum : float, default=0.9
        Momentum of 'sgd' and 'muon', in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether 'sgd' and 'muon' use Nesterov's form of the momentum.
    early_stopping : bool, default=False
        Whether to hold out `validation_fraction` of the samples, or take ``X_val``, to stop when
        their score stalls, and to keep the weights of the best epoch. A classifier holds out the
        same share of each class, unless y is multilabel.
    validation_fraction : float, default=0.1
        Share of the samples held out by `early_stopping`, in [0, 1).
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of Adam's first and second moment, in [0, 1).
    epsilon : float, default=1e-8
        Constant in the denominator of Adam's step, for numerical stability.
    n_iter_no_change : int or inf, default=10
        Number of epochs in a row without an improvement by `tol` that are tolerated; after one
        more, training stops, or 'adaptive' lowers the learning rate.
    max_fun : int, default=15000
        Maximum number of evaluations of the loss by 'lbfgs'.
    loss : {'log_loss', 'focal', 'hinge'}, ClassLoss or callable, default='log_loss'
        Loss function: log loss; focal loss [3]_ (``loss__gamma=2.0``) for rare classes; or hinge
        loss, which gives no probabilities. Or a function ``loss(output, target)`` of tensors that
        returns the loss per sample; or a `sknn.losses.ClassLoss`.
    label_smoothing : float, default=0.0
        Share of the target that is spread over all classes, in [0, 1).
    l1_ratio : float, default=0.0
        Share of L1 in the penalty ``alpha * ((1 - l1_ratio) / 2 * |w|² + l1_ratio * |w|₁)``.
    weight_decay : float, default=0.01
        Decoupled weight decay of 'adamw' and 'muon': before each step weights shrink by this times
        the learning rate.
    warmup_epochs : float, default=0
        Number of epochs over which the learning rate rises from 0, whatever the schedule.
    max_grad_norm : float, default=None
        Largest norm of the gradient; longer gradients are shortened to it. None is no limit.
    class_weight : dict, 'balanced', list of dict or None, default=None
        Weights of the classes, by which sample weights are multiplied, those of validation samples
        too; a list has a dict for each label of multilabel y. Probabilities are then those of the
        weighted classes.
    n_hidden_layers, hidden_width : int, default=None
        Number and width of the hidden layers, for searches; each replaces that of
        `hidden_layer_sizes`.
    dropout : float or array-like of shape (n_hidden_layers,), default=0.0
        Share of hidden units that are set to 0 in training, in [0, 1).
    normalization : {'batch', 'layer'}, default=None
        Normalization of hidden layers, before the activation.
    residual : bool, default=False
        Whether to add the input of a hidden layer to its output, where the widths agree.
    initializer : str or callable, default='auto'
        Initial weights: ``'auto'`` is scikit-learn's; {'glorot_uniform', 'glorot_normal',
        'he_uniform', 'he_normal', 'lecun_uniform', 'lecun_normal', 'orthogonal', 'zeros'}; or a
        function ``initializer(weight, random_state)`` that changes a tensor in place.
    module : class or callable, default=None
        Network of your own in place of the hidden layers: a ``torch.nn.Module`` class, or a
        function that returns a new module, whose outputs are logits or raw predictions. It is
        called with those of ``n_inputs, n_outputs, n_numeric, cardinalities, length`` that it
        names, and with ``module__<name>``.
    scoring : str, callable or None, default=None
        Score of held-out samples: ``'loss'`` for the negative loss, a name of
        :func:`~sklearn.metrics.get_scorer_names`, or ``scorer(estimator, X, y)``, which is given
        X=None and whose predictions are those of the held-out samples. None is accuracy for a
        classifier, and for a regressor R², D² for quantiles, or the negative loss of losses that
        also learn the noise of y.
    callbacks : list or tuple, default=None
        Callbacks of skorch, or functions of an epoch's entry of `history_`, which may return True
        to stop. Callbacks of scikit-learn (1.9) go into ``set_callbacks``.
    categorical_features : 'from_dtype', None or array-like of {bool, int, str}, \
            default='from_dtype'
        Columns of X that are categories, as in ``HistGradientBoosting``: those of up to 9 levels
        are one-hot encoded, others get an embedding. See `sknn.preprocessing.TabularEncoder`, also
        for missing values.
    scale : {'auto', 'standard', 'robust', 'quantile'} or None, default='auto'
        Scaling of numeric columns, see `sknn.preprocessing.TabularEncoder`. ``'auto'`` leaves
        tables of numbers alone as they are, and standardises numbers beside categories.
    device : str, default='auto'
        Device to compute on: ``'auto'`` is a GPU if torch sees one and the work is large (1e7
        floating-point operations per step, 5e11 in all), else the CPU; or a name of torch's, such
        as ``'cpu'``, ``'cuda'``, ``'cuda:1'`` or ``'mps'``.
    dtype : {'auto', 'float32', 'float64', 'tf32', 'bfloat16'}, default='auto'
        Floating-point type to compute in. ``'auto'`` follows X, as scikit-learn does; ``'float32'``
        is about twice as fast. 'tf32' and 'bfloat16' keep weights in float32 and let GPUs, or all
        devices, be less precise in matrix products.
    compile : bool, default=False
        Whether to train through ``torch.compile``, which takes long to start.
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
    pretrained : AutoencoderTransformer or None, default=None
        Autoencoder whose encoder, its code included, gives the first weights of the first hidden
        layers, as far as they have the same widths; its scales and levels are taken over, too. One
        that is fitted stays as it is, also in clones. One that is not fitted is cloned, and fitted
        on X, and on ``X_unlabelled`` if `fit` is given some.
    freeze_epochs : int, default=0
        Number of epochs in which the layers of `pretrained` are not trained yet.
    n_processes : int, 'world', 'shards' or None, default=None
        Number of processes that share the samples of each mini-batch, which this machine starts; or
        ``'world'`` for those of ``torch.distributed`` (torchrun), of which each calls `fit` with
        the same samples. The network is that of one process up to rounding. With ``'shards'`` each
        of them has samples of its own; see "Several processes" in the guide.
    target_encoding : int or None, default=None
        Number of levels above which the means of y for the levels of a categorical column stand
        beside its embedding; training samples get those of other samples. None is never; see
        `sknn.preprocessing.TabularEncoder`, and the guide for when it pays.
    **nested : dict
        Arguments of classes that other parameters choose: ``loss__<name>``, ``solver__<name>``,
        ``learning_rate__<name>``, ``module__<name>``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels; label numbers for multilabel y.
    coefs_, intercepts_ : list of ndarray
        Weights of each layer, of shape (n_inputs, n_outputs), and biases, of shape (n_outputs,).
        Set an item, or on the CPU write into an array, to change the network.
    pretrained_ : AutoencoderTransformer
        The fitted autoencoder, only with `pretrained`.
    net_ : skorch.NeuralNet
        Trained net, with ``history`` and ``save_params``.
    module_ : torch.nn.Module
        Trained network.
    device_ : str
        Device of the network.
    runner_ : str
        Name of the runner that computed the epochs, such as 'handwritten' or 'autograd'.
    runner_reasons_ : dict of str to str
        Reasons why faster runners were not taken, by their names.
    loss_, best_loss_ : float
        Training loss of the last epoch, and the smallest one; the latter is None with
        `early_stopping`.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
        Score and loss of the held-out samples after each epoch; None if there are none.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of a column in what shuffling columns one by one adds to the loss, on held-out samples
        where there are some. It is there after `fit` on dense tables of at most 2,000 columns.
    history_ : dict of list of float
        ``'loss'``, ``'learning_rate'`` and ``'time'`` (in seconds) of each epoch, and with held-out
        samples ``'score'``, ``'validation_loss'`` and ``'validation_score'``; ``pandas.DataFrame``
        makes a table of it. 'score' is that of the outputs during the epoch.
    best_validation_score_ : float or None
        Largest score of the held-out samples with `early_stopping`.
    best_iter_ : int
        Epoch whose weights the network has.
    n_iter_ : int
        Number of epochs of the last call.
    t_ : int
        Number of training samples seen, over all epochs.
    n_layers_, n_outputs_ : int
        Number of layers of units, with inputs and outputs, and number of output units.
    out_activation_ : str
        Output activation: 'softmax', 'logistic' for two classes and labels, or 'identity' where the
        loss gives no probabilities.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    DeepMLPRegressor : The estimator for regression.
    sklearn.neural_network.MLPClassifier : What it replaces.

    Notes
    -----
    It differs from scikit-learn's where that is silently wrong: `warm_start` with another
    architecture is an error, a multiclass split for `early_stopping` is stratified where it can
    be, one class gives probabilities of shape (n_samples, 1), training that diverges is an error
    that names likely causes, and fitting leaves global random states alone.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015,
       arXiv:1412.6980.
    .. [2] D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by
       back-propagating errors", Nature 323, 1986, doi:10.1038/323533a0.
    .. [3] T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal loss for dense object
       detection", ICCV 2017, arXiv:1708.02002.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import DeepMLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> mlp = DeepMLPClassifier(solver="lbfgs", alpha=1.0, random_state=0)
    >>> model = make_pipeline(StandardScaler(), mlp).fit(X_train, y_train)
    >>> print(f"{model.score(X_test, y_test):.2f}")
    0.97
    >>> model.predict_proba(X_test).shape
    (143, 2)
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        **CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    _nested = ("module", "solver", "learning_rate", "loss")

    def __init__(
        self,
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
        loss="log_loss",
        label_smoothing=0.0,
        l1_ratio=0.0,
        weight_decay=0.01,
        warmup_epochs=0,
        max_grad_norm=None,
        class_weight=None,
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
        text_features="auto",
        checkpoint=None,
        checkpoint_every=None,
        pretrained=None,
        freeze_epochs=0,
        n_processes=None,
        target_encoding=None,
        **nested: Unpack[NestedArguments],
    ):
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
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.l1_ratio = l1_ratio
        self.weight_decay = weight_decay
        self.warmup_epochs = warmup_epochs
        self.max_grad_norm = max_grad_norm
        self.class_weight = class_weight
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
        self.text_features = text_features
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.pretrained = pretrained
        self.freeze_epochs = freeze_epochs
        self.n_processes = n_processes
        self.target_encoding = target_encoding
        self._set_nested(nested)

    @property
    def feature_importances_(self) -> np.ndarray:
        """Share of a column in what shuffling columns adds to the loss; ``(n_features_in_,)``.

        Computed when it is asked for, on a few held-out samples where there are some. It is there
        after `fit` on dense tables of at most 2,000 columns.
        """
        return rank_features(self)

    def _make_parts(self) -> ClassParts:
        return make_mlp_parts(self, ClassTarget.of(self), scores_loss=False)
