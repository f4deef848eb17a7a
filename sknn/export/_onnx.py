"""`export_onnx`."""

from os import PathLike
from typing import TYPE_CHECKING, cast

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknn._files import write_file
from sknn._suggestions import check_no_class
from sknn._validation import MatrixLike
from sknn.architectures import Autoencoder, SequenceCNN
from sknn.deep import AutoencoderOutlierDetector, TabularMLPRegressor
from sknn.deep._base import DeepEstimator
from sknn.deep.parts._protocols import Codec
from sknn.export._front import convert_front, split_model
from sknn.export._graph import OnnxGraph
from sknn.export._layers import add_network
from sknn.export._sequences import add_sequence_network, add_sequences
from sknn.export._tables import add_table
from sknn.export._targets import add_classes, add_values
from sknn.export._threshold import add_units
from sknn.preprocessing import ClassCodec, SequenceInputs, TabularEncoder, ValueCodec
from sknn.threshold import PerceptronClassifier, ThresholdLogicClassifier

if TYPE_CHECKING:
    from onnx import ModelProto

UNITS = (PerceptronClassifier, ThresholdLogicClassifier)
#: versions of ONNX's operators that are written
OPSETS = range(17, 20)


def export_onnx(
    estimator: BaseEstimator,
    path: str | PathLike | None = None,
    *,
    X: MatrixLike | None = None,
    dtype: str = "auto",
    opset: int = 18,
) -> "ModelProto":
    """Write a fitted estimator, or a pipeline that ends with one, as an ONNX model [1]_.

    The model needs neither Python nor torch: ONNX Runtime and others run it. It does what
    ``predict`` does, from the columns of X to labels or numbers in the units of y.

    Parameters
    ----------
    estimator : estimator
        A deep estimator, `PerceptronClassifier` or `ThresholdLogicClassifier`; a
        ``Pipeline`` that ends with one, whose other steps skl2onnx can convert; or a search such
        as ``GridSearchCV``, for its best estimator.
    path : str or path-like, default=None
        File to write; None writes none.
    X : data frame of shape (n_samples, n_features), default=None
        Some samples, whose types are read; only needed if the first step of a pipeline is a
        ``ColumnTransformer`` that takes columns by name.
    dtype : {'auto', 'float32', 'float64'}, default='auto'
        Type in which the model computes. ``'auto'`` is that of the estimator: float64 if it was
        fitted on float64, and for units of threshold logic. ``'float32'`` halves the file, and
        runs where a runtime lacks an operator in float64, as ONNX Runtime does for the imputers
        of a pipeline.
    opset : int, default=18
        Version of ONNX's operators, from 17 to 19.

    Returns
    -------
    onnx.ModelProto
        The model. Its inputs are

        - ``X`` of shape ``(n_samples, n_features_in_)``, in the dtype of the model, or in float64
          where the estimator scales columns or looks up categories, which needs all digits;
        - or an input of shape (n_samples, 1) for each column of a data frame, under its name: where
          the estimator was fitted on categories, float64 for numbers (missing ones are NaN),
          text for levels (a missing one is ``""``), int64 for levels that are whole numbers, or
          float64 if some were missing. Before a ``ColumnTransformer`` whole numbers are int64,
          bool is bool, and numbers have the dtype of the model;
        - or ``X`` of shape (n_samples, length, n_channels) for `SequenceCNNClassifier` and
          `SequenceCNNRegressor`: sequences as their ``encode`` returns them, one-hot letters in the
          order of ``letters_`` and zeros for padding; the letters themselves are not taken. For
          tables of numbers it has the shape ``(n_samples, n_features_in_)``.

        Its outputs are

        - ``label`` of shape (n_samples,) and ``probabilities`` of shape (n_samples, n_classes) of a
          classifier; ``label`` of shape (n_samples, n_labels) for multilabel y; ``scores`` in place
          of ``probabilities`` where there are none. Classes of bool are 0 and 1;
        - ``variable`` of shape (n_samples, n_outputs) of a regressor, (n_samples, n_quantiles) with
          several quantiles, and behind it ``std`` with ``loss='gaussian_nll'`` or
          ``'ordered_bins'``, the noise in y without how much several members disagree;
        - ``codes`` of shape (n_samples, n_components) of an `AutoencoderTransformer`.

        The first output is what ``predict`` returns, or ``transform``. Any number of samples is
        taken, 0 included. The metadata say which sknn, scikit-learn and torch wrote the model.

    Raises
    ------
    TypeError
        If the estimator is of another kind.
    ValueError
        If a step, a layer, a column or the classes have no counterpart in ONNX, or `dtype` or
        `opset` are not as described.
    OptionalDependencyError
        If onnx is not installed, or skl2onnx, which pipelines need.

    See Also
    --------
    sknn.persistence.trusted_types : Files to go on training from.

    Notes
    -----
    Numbers agree with the estimator's up to rounding. In a float64 model the activation 'gelu' is
    only as precise as float32, and so are some steps of skl2onnx. A network that computes in
    bfloat16 is written in float32.

    A user-defined module goes through ``torch.onnx``, and the result is compared with the module
    on a few samples.

    References
    ----------
    .. [1] ONNX: Open Neural Network Exchange, https://onnx.ai

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.export import export_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = DeepMLPClassifier(solver="lbfgs", alpha=1.0, random_state=0).fit(X, y)
    >>> model = export_onnx(mlp, "iris.onnx")  # doctest: +SKIP
    >>> import onnxruntime  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("iris.onnx")  # doctest: +SKIP
    >>> labels, probabilities = session.run(None, {"X": X})  # doctest: +SKIP
    """
    if opset not in OPSETS:
        raise ValueError(
            f"opset must be a whole number from {OPSETS[0]} to {OPSETS[-1]}; got {opset!r}."
        )
    if dtype not in ("auto", "float32", "float64"):
        raise ValueError(f"dtype must be 'auto', 'float32' or 'float64'; got {dtype!r}.")
    steps, last = split_model(estimator)
    _check_kind(last)
    check_is_fitted(last)
    units = isinstance(last, UNITS)
    own = "float64" if units else last._encoder.spec_.dtype
    predicts_wide = dtype == "auto" and isinstance(last, TabularMLPRegressor)
    dtype = own if dtype == "auto" else dtype
    front = convert_front(steps, X, dtype, opset) if steps else None
    graph = OnnxGraph(opset, dtype, front)
    value = None if graph.front_output is None else graph.cast(graph.front_output, dtype)
    if units:
        value = graph.add_input("X", dtype, last.n_features_in_) if value is None else value
        add_units(graph, last, value)
    else:
        _add_deep(graph, last, value, "float64" if predicts_wide else dtype)
    model = graph.make_model(type(last).__name__)
    if path is not None:
        write_file(path, model.SerializeToString())
    return model


def _check_kind(last: BaseEstimator) -> None:
    check_no_class(last, "export_onnx")
    if not isinstance(last, (DeepEstimator, *UNITS)):
        raise TypeError(
            "export_onnx takes a fitted deep estimator, a PerceptronClassifier, a "
            "ThresholdLogicClassifier, a Pipeline whose last step is one, or a search over those; "
            f"got {type(last).__name__!r}. Estimators of scikit-learn alone skl2onnx converts."
        )
    if isinstance(last, AutoencoderOutlierDetector):
        raise ValueError(
            "AutoencoderOutlierDetector cannot be exported: distances to known samples are not "
            "written to ONNX. Keep it in a file of pickle, joblib or skops instead; see "
            "sknn.persistence."
        )


def _add_deep(graph: OnnxGraph, last: DeepEstimator, value: str | None, dtype: str) -> None:
    """Append an estimator; regressors predict in `dtype`."""
    network, codec = last.net_.module_, last._codec
    if isinstance(network, SequenceCNN):
        value = add_sequences(graph, cast(SequenceInputs, last._encoder), value)
        raw = add_sequence_network(graph, network, value)
        _add_predictions(graph, codec, raw, dtype)
        return
    names = getattr(last, "feature_names_in_", None)
    names = None if names is None else list(names)
    value = add_table(graph, cast(TabularEncoder, last._encoder), names, value)
    if isinstance(network, Autoencoder):
        codes = add_network(graph, network.get_encoder(), value, last._inputs)
        graph.add_output(codes, "codes", dtype, [None, last._n_features_out])
        return
    raw = add_network(graph, network, value, last._inputs)
    _add_predictions(graph, codec, raw, dtype)


def _add_predictions(graph: OnnxGraph, codec: Codec, raw: str, dtype: str) -> None:
    """Append what a task makes of raw predictions; numbers are in `dtype`."""
    if isinstance(codec, ClassCodec):
        add_classes(graph, codec, raw)
    elif isinstance(codec, ValueCodec):
        add_values(graph, codec, raw, dtype)
