"""Values of all nodes of a network for some samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn._suggestions import check_no_class
from sknn._validation import MatrixLike, check_layers_say_all
from sknn.activations import ACTIVATIONS, SYNONYMS, Function, resolve_activation
from sknn.inspection._reading import HasLayers, HasUnits, Model, advise_on_layers
from sknn.threshold import ThresholdNetwork, check_binary

_LINKS: dict[str, Function] = {"softmax": lambda z: softmax(z, axis=1), "exp": np.exp}


@dataclass(frozen=True)
class LayerPass:
    """Values of one layer.

    Attributes
    ----------
    names : list of str
        Names of its nodes.
    pre_activations : ndarray of shape (n_samples, n_nodes)
        ``X @ weights + biases``, where X are the activations of the layer before.
    activations : ndarray of shape (n_samples, n_nodes)
        Outputs of the nodes.
    activation : str
        Name of the function from one to the other.
    """

    names: list[str]
    pre_activations: np.ndarray
    activations: np.ndarray
    activation: str


@dataclass(frozen=True)
class ForwardPass:
    """Values of all layers of a network.

    Attributes
    ----------
    input_names : list of str
        Names of the inputs.
    inputs : ndarray of shape (n_samples, n_inputs)
        Inputs of the network, scaled and encoded if it does that itself.
    layers : list of LayerPass
        Layers, from the first hidden layer to the output layer.
    """

    input_names: list[str]
    inputs: np.ndarray
    layers: list[LayerPass]

    @property
    def outputs(self) -> dict[str, np.ndarray]:
        """Output of each node by its name, of shape (n_samples,), inputs first."""
        layers = [(self.input_names, self.inputs), *((x.names, x.activations) for x in self.layers)]
        return {
            n: column for names, values in layers for n, column in zip(names, values.T, strict=True)
        }


def forward_pass(model: Model, X: MatrixLike, names: Sequence[str] | None = None) -> ForwardPass:
    """Return the values of all layers of a network, for some samples.

    Node k puts out ``o_k = σ(Σ w_jk o_j + b_k)``, where the sum is over the nodes of the layer
    before and σ is the activation of the layer.

    Parameters
    ----------
    model : object
        A unit, a network of units, or a fitted estimator with ``coefs_``, ``intercepts_``,
        ``activation`` and ``out_activation_``, such as `DeepMLPClassifier`, or with ``coef_`` and
        ``intercept_``, such as `PerceptronClassifier`. ``activation`` is a name, or one for each
        hidden layer. Dropout has no effect, as in prediction.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        A few samples, as for ``predict``; the inputs of the pass are what the network gets of them,
        scaled and encoded where it does that itself. Sparse samples become dense.
    names : sequence of str or None, default=None
        Names of all nodes, inputs first. None means the names the model has; other nodes are
        numbered from 1 on, through all layers.

    Returns
    -------
    ForwardPass
        Its ``layers`` have pre-activations and activations, its ``outputs`` are by name.

    Raises
    ------
    ValueError
        If the model has no such weights, X does not fit it or names are not one for each node;
        or if it does more than the formula above: normalization, residual connections,
        embeddings, an activation that is not in `sknn.activations`, a user-defined module.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Notes
    -----
    The output layer is the network's, not always what ``predict`` returns: a regressor that
    standardises its target returns ``output * target_scale_ + target_mean_``, and a classifier
    the class with the largest output. A perceptron's units put out 1 above their threshold, 0 on
    it and -1 below, like units with the step ``'sign'``.

    References
    ----------
    .. [1] LeCun, Y., Bengio, Y., & Hinton, G. (2015). "Deep learning." Nature 521, 436-444.
       doi:10.1038/nature14539

    Examples
    --------
    Inputs 1 and 2 lead to the hidden nodes 3, 4 and 5, these to the outputs 6 and 7: 12 weights
    and 5 biases, here set by hand.

    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from sknn.inspection import forward_pass
    >>> network = SimpleNamespace(
    ...     coefs_=[  # a row for each node before, a column for each node of the layer
    ...         np.array([[1.0, -1.0, 0.5], [2.0, 1.0, -0.5]]),
    ...         np.array([[1.0, -2.0], [0.5, 1.0], [-1.0, 3.0]]),
    ...     ],
    ...     intercepts_=[np.array([-2.0, 0.0, 1.0]), np.array([0.5, -1.0])],
    ...     activation="logistic",
    ...     out_activation_="logistic",
    ... )
    >>> passed = forward_pass(network, [[1.0, 2.0]])
    >>> for name, output in passed.outputs.items():
    ...     print(name, output.round(4))
    1 [1.]
    2 [2.]
    3 [0.9526]
    4 [0.7311]
    5 [0.6225]
    6 [0.7677]
    7 [0.4239]

    Node 3 is σ(1·1 + 2·2 - 2) = σ(3), and node 6 is σ(1·o₃ + 0.5·o₄ - 1·o₅ + 0.5):

    >>> passed.layers[0].pre_activations
    array([[3. , 1. , 0.5]])
    >>> o3, o4, o5 = passed.layers[0].activations[0]
    >>> print(round(1 / (1 + np.exp(-(1 * o3 + 0.5 * o4 - 1 * o5 + 0.5))), 4))
    0.7677
    """
    check_no_class(model, "forward_pass")
    if hasattr(model, "coefs_"):
        check_layers_say_all(model, "A forward pass")
    X = _read_inputs(model, X)
    coefs, intercepts, functions = _read_weights(model)
    if X.shape[1] != len(coefs[0]):
        raise ValueError(f"X has {X.shape[1]} columns, but the network has {len(coefs[0])} inputs.")
    sizes = [X.shape[1], *(coef.shape[1] for coef in coefs)]
    nodes = _get_node_names(model, sizes) if names is None else list(names)
    if len(nodes) != sum(sizes):
        raise ValueError(
            f"The network has {' + '.join(map(str, sizes))} = {sum(sizes)} nodes, got "
            f"{len(nodes)} names."
        )
    bounds = np.cumsum([0, *sizes]).tolist()
    named = [nodes[start:stop] for start, stop in pairwise(bounds)]
    layers, values = [], X
    for layer, (coef, intercept, function) in enumerate(
        zip(coefs, intercepts, functions, strict=True), 1
    ):
        # z_k = Σ_j w_jk o_j + b_k for all samples at once, then o_k = σ(z_k)
        z = values @ coef + intercept
        value = _LINKS[function] if function in _LINKS else ACTIVATIONS[function].value
        values = value(z)
        layers.append(LayerPass(named[layer], z, values, function))
    return ForwardPass(named[0], X, layers)


def _read_inputs(model: Model, X: MatrixLike) -> np.ndarray:
    if isinstance(model, ThresholdNetwork):
        return check_binary(X, model.feature_names_in_.tolist()).astype(float)
    if hasattr(model, "_encoded_inputs"):  # a deep estimator, which scales and encodes
        X = model._encoded_inputs(X).astype(float)
    elif isinstance(model, BaseEstimator):
        check_is_fitted(model)
        X = validate_data(model, X, accept_sparse=True, dtype=float, reset=False)
    else:
        X = check_array(X, accept_sparse=True, dtype=float)
    return X if isinstance(X, np.ndarray) else X.toarray()


@runtime_checkable
class HasFunctions(HasLayers, Protocol):
    """A network that says which functions follow its layers."""

    activation: str | Sequence[str]
    out_activation_: str


def _read_weights(model: Model) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    """Return weights, biases and the name of the activation of each layer."""
    if isinstance(model, HasFunctions):
        known = [*ACTIVATIONS, *_LINKS]
        last = _check_function(model.out_activation_, "out_activation_", known)
        functions = [*_get_hidden_functions(model), last]
        return list(model.coefs_), list(model.intercepts_), functions
    if isinstance(model, HasUnits):
        return [model.coef_.T], [np.asarray(model.intercept_)], [getattr(model, "step", "sign")]
    raise ValueError(
        "A forward pass needs a network with coefs_ and intercepts_, or units with coef_ and "
        f"intercept_; got {type(model).__name__}.{advise_on_layers(model)}"
    )


def _get_hidden_functions(model: HasFunctions) -> list[str]:
    """Return the name of the activation of each hidden layer."""
    given, n_hidden = model.activation, len(model.coefs_) - 1
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray):
        given = [given] * n_hidden  # what is no string is refused below
    if len(given) != n_hidden:
        raise ValueError(
            f"activation has {len(given)} entries, but the network {n_hidden} hidden layers: "
            f"{list(given)!r}. Was it changed after fit?"
        )
    known = [*ACTIVATIONS, *SYNONYMS]
    return [resolve_activation(_check_function(f, "activation", known)) for f in given]


def _check_function(function: str | Callable, parameter: str, known: list[str]) -> str:
    if not isinstance(function, str) or function not in known:
        raise ValueError(f"A forward pass needs {parameter} out of {known}; got {function!r}.")
    return function


def _get_node_names(model: Model, sizes: list[int]) -> list[str]:
    names = [str(number + 1) for number in range(sum(sizes))]
    inputs = getattr(model, "_input_names", getattr(model, "feature_names_in_", None))
    if inputs is None:
        inputs = names[: sizes[0]]
    units = [name for layer in getattr(model, "unit_names", []) for name in layer]
    return [*inputs, *(units or names[sizes[0] :])]
