"""The network for sequences that classifies."""

from typing import Unpack

from sknn.deep._arguments import NestedArguments
from sknn.deep._params import CLASSIFIER_CONSTRAINTS
from sknn.deep.parts._targets import ClassParts, ClassTarget
from sknn.deep.sequence._interpretation import SequenceReading
from sknn.deep.sequence._network import CONSTRAINTS, make_sequence_parts
from sknn.deep.tasks._classifier import DeepClassifier


class SequenceCNNClassifier(SequenceReading, DeepClassifier):
    """Convolutional network that classifies DNA, RNA or protein sequences.

    Filters slide along the sequences, as in DeepBind [1]_; the classes follow from how well filters
    fit at their best place and on average. It takes strings as they are, so that it fits into
    ``Pipeline`` and ``GridSearchCV``, and returns the patterns of its filters as motifs.

    X may be strings in a list, an array, a Series or a data frame's only column; encoded sequences
    of shape (n_samples, length, n_letters), or flat ones with `length`; or a table of numbers,
    which are then values along a line.

    Parameters
    ----------
    n_filters : int, default=256
        Number of filters in each convolutional layer.
    kernel_size : int, default=11
        Number of positions that a filter of the first layer covers.
    n_conv_layers : int, default=1
        Number of convolutional layers. One gives the best motifs; more learn how motifs combine.
    first_activation : {'relu', 'exp', 'linear'}, default='relu'
        Activation function of the first layer; ``'exp'`` [2]_ makes filters more like motifs. From
        5 on it is a straight line, so that numbers without a scale do not overflow.
    pooling : {'max', 'mean', 'maxmean'} or int, default='maxmean'
        Pooling over the sequence: a filter's largest value, its mean, or both. An int is a number
        of windows: the largest value of each stretch of so many keeps the positions, and needs
        aligned sequences.
    position_bias : bool, default=True
        Whether filters can learn to prefer positions, such as those before a start of
        transcription. A penalty of 0.001 times the squares keeps that small, whatever `alpha`.
    hidden_layer_sizes : int or array-like of int of shape (n_hidden_layers,), default=(32,)
        Number of units in each hidden layer after pooling, with ReLU; an int is one layer, ``()``
        none.
    dropout : float or 'auto', default='auto'
        Share of pooled values and of hidden units that are set to 0 in training, in [0, 1);
        ``'auto'`` is 0.3, and 0 for 'lbfgs'.
    batch_norm : bool or 'auto', default='auto'
        Whether convolutional layers have batch normalization; ``'auto'`` is True where there are
        several, but not for 'lbfgs'.
    reverse_complement : bool or 'auto', default='auto'
        Whether to compare filters with both strands and take the larger value. With True a sequence
        and its reverse complement have the same prediction, unless it is shorter than
        `kernel_size`. ``'auto'`` reads both strands of the letters of DNA, with a position bias for
        each; with `early_stopping` only the given one, if two small networks, trained for 300
        steps, show by the held-out samples that this is better.
    length : int, default=None
        Number of positions of a sequence; longer ones are cut at the right, shorter ones filled up
        with zeros, which no filter sees. None is the longest in `fit`. It must be given for a flat
        array of encoded sequences.
    alphabet : str or None, default='ACGT'
        ``'dna'``, ``'rna'``, ``'protein'``, or the letters in the order of the channels. None is
        for arrays of other channels.
    unknown : {'zero', 'uniform', 'iupac', 'error'}, default='zero'
        Meaning of letters outside the alphabet, see `sknn.preprocessing.DNAOneHotEncoder`.
    handle_unknown : {'ignore', 'error'}, default='ignore'
        Whether such a letter is an error.
    solver : {'adam', 'sgd', 'lbfgs', 'adamw', 'muon', 'nadam', 'rmsprop'} or class, default='adam'
        Optimizer: Adam, AdamW (with decoupled `weight_decay`), Muon (orthogonalized
        momentum for the weights of hidden layers, AdamW for the rest), NAdam (with Nesterov
        momentum), RMSprop or stochastic gradient descent, on mini-batches; or SciPy's L-BFGS on all
        samples at once, which is often best for up to a few thousand samples. Or a class of
        ``torch.optim``, with its arguments as ``solver__<name>``.
    alpha : float, default=0.0001
        Strength of the L2 penalty, which is divided by the sum of the sample weights of a
        mini-batch; see `l1_ratio`.
    batch_size : int or 'auto', default='auto'
        Number of samples in a mini-batch; ``'auto'`` is a twentieth of all samples, but at least 16
        and at most 64. It is not used by 'lbfgs'.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'plateau'} or \
            class, default='constant'
        Schedule of the learning rate. Schedules of 'sgd' alone, as in scikit-learn: 'invscaling' is
        ``learning_rate_init / t ** power_t`` after each epoch, where t is the number of samples
        seen; 'adaptive' divides the learning rate by 5 whenever training has stalled, see
        `n_iter_no_change`, until it is at most 1e-6. Schedules of every stochastic solver: 'cosine'
        falls as half a cosine over `max_iter` epochs; 'one_cycle' rises and falls once; 'plateau'
        halves the learning rate when training stalls for half of `n_iter_no_change`. Or a class of
        ``torch.optim.lr_scheduler``, with its arguments as ``learning_rate__<name>``.
    learning_rate_init : float, default=0.003
        Initial learning rate; the largest one of 'one_cycle'.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=60
        Maximum number of epochs, or of iterations of 'lbfgs'.
    shuffle : bool, default=True
        Whether to draw a new order of the samples for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights, the held-out samples, the order of the samples, and dropout. An
        int gives the same model, bit for bit, on one machine; None gives a new one each time.
        Global generators of NumPy and torch are never touched.
    tol : float, default=0.0001
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
    early_stopping : bool or 'auto', default='auto'
        Whether to hold out `validation_fraction` of the samples, or take ``X_val``, to stop when
        their loss stalls (see `scoring`), and to keep the weights of the best epoch. ``'auto'``
        does so with 2,000 sequences or more, or with ``X_val``; with fewer it trains for all of
        `max_iter`. A classifier holds out the same share of each class, unless y is multilabel.
    validation_fraction : float, default=0.1
        Share of the samples held out by `early_stopping`, in [0, 1).
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of Adam's first and second moment, in [0, 1).
    epsilon : float, default=1e-8
        Constant in the denominator of Adam's step, for numerical stability.
    n_iter_no_change : int or inf, default=6
        Number of epochs in a row without an improvement by `tol` that are tolerated; after one
        more, training stops, or 'adaptive' lowers the learning rate.
    max_fun : int, default=15000
        Maximum number of evaluations of the loss by 'lbfgs'.
    loss : {'log_loss', 'focal', 'hinge'}, ClassLoss or callable, default='log_loss'
        Loss function: log loss; focal loss [4]_ (``loss__gamma=2.0``) for rare classes; or hinge
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
    scoring : str, callable or None, default=None
        Score of held-out samples: ``'loss'`` for the negative loss, a name of
        :func:`~sklearn.metrics.get_scorer_names`, or ``scorer(estimator, X, y)``, which is given
        X=None and whose predictions are those of the held-out samples. None is the negative loss,
        too.
    callbacks : list or tuple, default=None
        Callbacks of skorch, or functions of an epoch's entry of `history_`, which may return True
        to stop. Callbacks of scikit-learn (1.9) go into ``set_callbacks``.
    device : str, default='auto'
        Device to compute on: ``'auto'`` is a GPU if torch sees one and the work is large (1e7
        floating-point operations per step, 5e11 in all), else the CPU; or a name of torch's, such
        as ``'cpu'``, ``'cuda'``, ``'cuda:1'`` or ``'mps'``.
    dtype : {'auto', 'float32', 'float64', 'tf32', 'bfloat16'}, default='auto'
        Floating-point type to compute in. ``'auto'`` is float32 for strings, and follows X where it
        is an array of floats. 'tf32' and 'bfloat16' keep weights in float32 and let GPUs, or all
        devices, be less precise in matrix products.
    compile : bool, default=False
        Whether to train through ``torch.compile``, which takes long to start.
    checkpoint : str or path-like, default=None
        Folder for the state of training, from which the same `fit` goes on after its process was
        killed, to the same model; see "Checkpoints" in the guide.
    checkpoint_every : int, str, timedelta or None, default=None
        Time between checkpoints: epochs, or ``'30s'``, ``'5min'``, ``'1h'``. None is a second, or
        more, so that writing takes 2 % of the time at most.
    n_processes : int, 'world', 'shards' or None, default=None
        Number of processes that share the samples of each mini-batch, which this machine starts; or
        ``'world'`` for those of ``torch.distributed`` (torchrun), of which each calls `fit` with
        the same samples. The network is that of one process up to rounding. With ``'shards'`` each
        of them has samples of its own; see "Several processes" in the guide.
    pretrained : 'masked', SequenceCNNClassifier, SequenceCNNRegressor or None, default=None
        Origin of the filters of the first layer. ``'masked'`` lets them first predict hidden
        letters of X and ``X_unlabelled``, which helps where labels are few. A fitted estimator
        gives a copy of its filters; `n_filters`, `kernel_size` and `alphabet` must be the same.
    n_members : int or 'auto', default='auto'
        Number of networks that are trained as one and whose logits or raw predictions are
        averaged. Each has ``n_filters / n_members`` filters and hidden layers of its own, and
        learns as if it were alone, but all stop together; steps of ``solver='sgd'`` are
        ``n_members`` times smaller. ``'auto'`` is one for 32 filters, at most eight, or one for
        'lbfgs'.
    **nested : dict
        Arguments of classes that other parameters choose: ``loss__<name>``, ``solver__<name>``,
        ``learning_rate__<name>``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels; label numbers for multilabel y.
    coefs_, intercepts_ : list of ndarray
        Weights of each layer after pooling, of shape (n_inputs, n_outputs), and biases, of shape
        (n_outputs,); of several members (n_members, n_inputs, n_outputs) and (n_members, 1,
        n_outputs). Set an item, or on the CPU write into an array, to change the network.
    filters_ : ndarray of shape (n_filters, kernel_size, n_channels)
        Weights of the first layer.
    letters_ : str or None
        Letters of the channels, if they have any.
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
        1 for strings, which are one column; number of positions or columns of an array.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    SequenceCNNRegressor : The estimator for regression.
    sknn.preprocessing.DNAOneHotEncoder : Strings to arrays.
    sknn.motifs.match_motifs : Which known motifs are like those of the filters.

    Notes
    -----
    A dead network, whose output is the same for all sequences, gets new weights, up to three
    times. The defaults were chosen on validation sets of transcription factors, promoters and
    splice sites.

    References
    ----------
    .. [1] B. Alipanahi, A. Delong, M. T. Weirauch and B. J. Frey, "Predicting the sequence
       specificities of DNA- and RNA-binding proteins by deep learning", Nature Biotechnology 33,
       2015, doi:10.1038/nbt.3300.
    .. [2] P. K. Koo and M. Ploenzke, "Improving representations of genomic sequence motifs in
       convolutional networks with exponential activations", Nature Machine Intelligence 3, 2021,
       doi:10.1038/s42256-020-00291-x.
    .. [3] J. Zou, M. Huss, A. Abid, P. Mohammadi, A. Torkamani and A. Telenti, "A primer on deep
       learning in genomics", Nature Genetics 51, 2019, doi:10.1038/s41588-018-0295-5.
    .. [4] T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal loss for dense object
       detection", ICCV 2017, arXiv:1708.02002.

    Examples
    --------
    >>> from sknn import SequenceCNNClassifier
    >>> from sknn.datasets import make_motif_sequences
    >>> X, y, positions = make_motif_sequences(600, random_state=0)
    >>> cnn = SequenceCNNClassifier(32, 12, random_state=0).fit(X[:500], y[:500])
    >>> print(f"{cnn.score(X[500:], y[500:]):.2f}")
    0.99
    >>> cnn.saliency(X[:2]).shape
    (2, 50, 4)
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        **CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    _nested = ("solver", "learning_rate", "loss")

    def __init__(
        self,
        n_filters=256,
        kernel_size=11,
        *,
        n_conv_layers=1,
        first_activation="relu",
        pooling="maxmean",
        position_bias=True,
        hidden_layer_sizes=(32,),
        dropout="auto",
        batch_norm="auto",
        reverse_complement="auto",
        length=None,
        alphabet="ACGT",
        unknown="zero",
        handle_unknown="ignore",
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.003,
        power_t=0.5,
        max_iter=60,
        shuffle=True,
        random_state=None,
        tol=0.0001,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping="auto",
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=6,
        max_fun=15000,
        loss="log_loss",
        label_smoothing=0.0,
        l1_ratio=0.0,
        weight_decay=0.01,
        warmup_epochs=0,
        max_grad_norm=None,
        class_weight=None,
        scoring=None,
        callbacks=None,
        device="auto",
        dtype="auto",
        compile=False,
        checkpoint=None,
        checkpoint_every=None,
        n_processes=None,
        pretrained=None,
        n_members="auto",
        **nested: Unpack[NestedArguments],
    ):
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.n_conv_layers = n_conv_layers
        self.first_activation = first_activation
        self.pooling = pooling
        self.position_bias = position_bias
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.reverse_complement = reverse_complement
        self.length = length
        self.alphabet = alphabet
        self.unknown = unknown
        self.handle_unknown = handle_unknown
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
        self.scoring = scoring
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.compile = compile
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.n_processes = n_processes
        self.pretrained = pretrained
        self.n_members = n_members
        self._set_nested(nested)

    def _make_parts(self) -> ClassParts:
        return make_sequence_parts(self, ClassTarget.of(self))
