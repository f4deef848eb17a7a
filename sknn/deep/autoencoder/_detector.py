"""The autoencoder as a detector of anomalies."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Unpack

import numpy as np

from sknn._sklearn import Interval, StrOptions
from sknn.deep._arguments import NestedArguments
from sknn.deep.autoencoder._detection import DeepDetector, make_detector_parts
from sknn.deep.autoencoder._network import CONSTRAINTS
from sknn.deep.parts._preparation import Parts


class AutoencoderOutlierDetector(DeepDetector):
    """Detector of anomalies: samples far from all others that are reconstructed badly [2]_ [4]_.

    It takes tables without preparation, as `AutoencoderTransformer` does. Either the training
    samples are normal, and anomalies among new samples are found (novelty detection), or some of
    the training samples are anomalies (outlier detection).

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int of shape (n_hidden_layers,), default=(128,)
        Number of units in each hidden layer of the encoder, from the inputs on; the decoder has the
        same ones in reverse. An int is one layer, ``()`` none.
    n_components : int, default=32
        Length of a code.
    contamination : 'auto' or float, default='auto'
        Share of anomalies among the training samples, in (0, 0.5], which chooses `offset_`.
        ``'auto'`` is Tukey's fence: anomalies score below the first quartile of the training
        samples' scores by more than 1.5 times the range between their quartiles.
    criterion : {'both', 'reconstruction', 'distance'}, default='both'
        Score of a sample: ``'reconstruction'`` is its error alone. ``'distance'`` is the
        mean logarithm of the distances to its nearest training samples, twice by the sum of
        absolute differences and once by the Euclidean distance of whitened samples; ``'both'`` adds
        the logarithm of the root of the error.
    n_neighbors : int, default=3
        Number of nearest training samples whose distances are averaged.
    trim_fraction : float, default=0.05
        Share of the training samples that are not used as neighbours, in [0, 1): those farthest
        from 80 others, or from a fifth of all if that is less, so that a few anomalies are not each
        other's near neighbours.
    activation : str, callable, or list of these, default='relu'
        Activation of all hidden layers, or of each of the encoder (`DeepMLPRegressor`). Codes and
        reconstructions are sums without an activation.
    kind : {'plain', 'denoising', 'masked', 'variational'}, default='denoising'
        Task of the network. ``'plain'`` reconstructs samples, ``'denoising'`` from copies with
        `noise` [2]_, ``'masked'`` from copies in which features are hidden, and ``'variational'``
        draws codes from distributions that it keeps near the standard normal one [3]_, so that
        `inverse_transform` makes new samples of standard normal codes.
    tied_weights : bool, default=False
        Whether the decoder has the transposed weights of the encoder, which needs as many outputs
        as inputs.
    noise : float, default=1.0
        Standard deviation of the normal noise of 'denoising' on numbers, in units of `scale`.
    mask_fraction : float, default=0.3
        Probability that a feature is hidden, in [0, 1): for 'masked' each feature, for 'denoising'
        each category.
    kl_weight : float, default=1.0
        Weight of the divergence of codes from the standard normal distribution, for 'variational'.
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
            class, default='cosine'
        Schedule of the learning rate. Schedules of 'sgd' alone, as in scikit-learn: 'invscaling' is
        ``learning_rate_init / t ** power_t`` after each epoch, where t is the number of samples
        seen; 'adaptive' divides the learning rate by 5 whenever training has stalled, see
        `n_iter_no_change`, until it is at most 1e-6. Schedules of every stochastic solver: 'cosine'
        falls as half a cosine over `max_iter` epochs; 'one_cycle' rises and falls once; 'plateau'
        halves the learning rate when training stalls for half of `n_iter_no_change`. Or a class of
        ``torch.optim.lr_scheduler``, with its arguments as ``learning_rate__<name>``.
    learning_rate_init : float, default=0.002
        Initial learning rate; the largest one of 'one_cycle'.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=50
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
    n_iter_no_change : int or inf, default=inf
        Number of epochs in a row without an improvement by `tol` that are tolerated; after one
        more, training stops, or 'adaptive' lowers the learning rate.
    max_fun : int, default=15000
        Maximum number of evaluations of the loss by 'lbfgs'.
    l1_ratio : float, default=0.0
        Share of L1 in the penalty ``alpha * ((1 - l1_ratio) / 2 * |w|² + l1_ratio * |w|₁)``.
    weight_decay : float, default=0.01
        Decoupled weight decay of 'adamw' and 'muon': before each step weights shrink by this times
        the learning rate.
    warmup_epochs : float, default=0
        Number of epochs over which the learning rate rises from 0, whatever the schedule.
    max_grad_norm : float, default=None
        Largest norm of the gradient; longer gradients are shortened to it. None is no limit.
    dropout : float or array-like of shape (n_hidden_layers,), default=0.0
        Share of hidden units that are set to 0 in training, in [0, 1).
    initializer : str or callable, default='pca'
        First weights. ``'pca'`` lets the network start as the principal components of the encoded
        samples; each takes two units of a hidden layer, and those for which there is no room, and
        activations other than {'relu', 'tanh', 'logistic', 'gelu', 'silu', 'softplus', \
            'leaky_relu', 'identity'}, start at random. See `DeepMLPRegressor` for the others.
    callbacks : list or tuple, default=None
        Callbacks of skorch, or functions of an epoch's entry of `history_`, which may return True
        to stop. Callbacks of scikit-learn (1.9) go into ``set_callbacks``.
    categorical_features : 'from_dtype', None or array-like of {bool, int, str}, \
            default='from_dtype'
        Columns of X that are categories, as in ``HistGradientBoosting``: those of up to 9 levels
        are one-hot encoded, others get an embedding. See `sknn.preprocessing.TabularEncoder`, also
        for missing values.
    scale : {'auto', 'standard', 'robust', 'quantile'} or None, default='standard'
        Scaling of numeric columns, which gives the units of their squared errors. ``'auto'``
        leaves tables of numbers alone as they are, and standardises numbers beside categories.
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
    **nested : dict
        Arguments of classes that other parameters choose: ``solver__<name>``,
        ``learning_rate__<name>``.

    Attributes
    ----------
    offset_ : float
        Score below which a sample is an anomaly: ``decision_function(X)`` is
        ``score_samples(X) - offset_``.
    coefs_, intercepts_ : list of ndarray
        Weights, of shape (n_inputs, n_outputs), and biases, of shape (n_outputs,), of each layer,
        the code's and the reconstruction's among them. See `DeepMLPRegressor`.
    net_ : skorch.NeuralNet
        Trained net, with ``history`` and ``save_params``.
    module_ : torch.nn.Module
        Trained network, with methods ``encode`` and ``decode``.
    device_ : str
        Device of the network.
    runner_ : str
        Name of the runner that computed the epochs, such as 'handwritten' or 'autograd'.
    runner_reasons_ : dict of str to str
        Reasons why faster runners were not taken, by their names.
    loss_, best_loss_ : float
        Training loss of the last epoch, and the smallest; the latter is None with
        `early_stopping`. A loss is half the sum of squared errors of a sample's scaled numbers,
        plus the cross-entropy of its categories, averaged over samples.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
        Score and loss of the held-out samples after each epoch; None if there are none. The score
        is the negative loss.
    history_ : dict of list of float
        ``'loss'``, ``'learning_rate'`` and ``'time'`` (in seconds) of each epoch, and with held-out
        samples ``'validation_loss'`` and ``'validation_score'``; ``pandas.DataFrame`` makes a table
        of it.
    best_validation_score_ : float or None
        Largest validation score with `early_stopping`.
    best_iter_ : int
        Epoch whose weights the network has; 0 if no epoch was better than the start.
    n_iter_ : int
        Epochs of the last call.
    t_ : int
        Training samples seen, over all epochs.
    n_layers_, n_outputs_ : int
        Number of layers of units, with inputs and outputs, and number of output units.
    out_activation_ : str
        Output activation, 'identity'.
    image_shape_ : tuple of int
        Shape of an image, if `fit` got images.
    n_features_in_ : int
        Number of columns of X, or of pixels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    AutoencoderTransformer : Codes and reconstructions.
    sklearn.neighbors.LocalOutlierFactor : Distances to neighbours alone.
    sklearn.ensemble.IsolationForest : Trees that isolate samples.

    Notes
    -----
    Scores do not depend on chance once the network is trained, as nothing is drawn in prediction. A
    training sample is not its own neighbour; nor is one that is equal to a training sample.

    At most 5,000 training samples are kept as neighbours, evenly chosen.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A method for stochastic optimization", ICLR 2015,
       arXiv:1412.6980.
    .. [2] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and composing robust
       features with denoising autoencoders", ICML 2008, doi:10.1145/1390156.1390294.
    .. [3] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014,
       arXiv:1312.6114.
    .. [4] S. Ramaswamy, R. Rastogi and K. Shim, "Efficient algorithms for mining outliers from
       large data sets", SIGMOD 2000, doi:10.1145/342009.335437.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import AutoencoderOutlierDetector
    >>> rng = np.random.default_rng(0)
    >>> angle = rng.uniform(0, 2 * np.pi, 500)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> detector = AutoencoderOutlierDetector(random_state=0).fit(ring)
    >>> detector.predict([[1.0, 0.0], [0.0, 0.0]])
    array([ 1, -1])
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn
        **CONSTRAINTS,
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "criterion": [StrOptions({"both", "reconstruction", "distance"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "trim_fraction": [Interval(Real, 0, 1, closed="left")],
    }

    _nested = ("solver", "learning_rate")

    def __init__(
        self,
        hidden_layer_sizes=(128,),
        *,
        n_components=32,
        contamination="auto",
        criterion="both",
        n_neighbors=3,
        trim_fraction=0.05,
        activation="relu",
        kind="denoising",
        tied_weights=False,
        noise=1.0,
        mask_fraction=0.3,
        kl_weight=1.0,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.002,
        power_t=0.5,
        max_iter=50,
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
        n_iter_no_change=np.inf,
        max_fun=15000,
        l1_ratio=0.0,
        weight_decay=0.01,
        warmup_epochs=0,
        max_grad_norm=None,
        dropout=0.0,
        initializer="pca",
        callbacks=None,
        categorical_features="from_dtype",
        scale="standard",
        device="auto",
        dtype="auto",
        compile=False,
        text_features="auto",
        checkpoint=None,
        checkpoint_every=None,
        **nested: Unpack[NestedArguments],
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_components = n_components
        self.contamination = contamination
        self.criterion = criterion
        self.n_neighbors = n_neighbors
        self.trim_fraction = trim_fraction
        self.activation = activation
        self.kind = kind
        self.tied_weights = tied_weights
        self.noise = noise
        self.mask_fraction = mask_fraction
        self.kl_weight = kl_weight
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
        self.l1_ratio = l1_ratio
        self.weight_decay = weight_decay
        self.warmup_epochs = warmup_epochs
        self.max_grad_norm = max_grad_norm
        self.dropout = dropout
        self.initializer = initializer
        self.callbacks = callbacks
        self.categorical_features = categorical_features
        self.scale = scale
        self.device = device
        self.dtype = dtype
        self.compile = compile
        self.text_features = text_features
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self._set_nested(nested)

    def _make_parts(self) -> Parts:
        return make_detector_parts(self)
