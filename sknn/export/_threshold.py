"""Threshold units as ONNX nodes."""

import numpy as np

from sknn.export._graph import OnnxGraph
from sknn.export._targets import add_chosen, add_labels
from sknn.threshold import PerceptronClassifier, ThresholdLogicClassifier


def add_units(
    graph: OnnxGraph, classifier: PerceptronClassifier | ThresholdLogicClassifier, value: str
) -> None:
    """Add the outputs ``label`` and ``probabilities`` of fitted threshold units."""
    weights = graph.add_constant(classifier.coef_, graph.dtype)
    intercept = graph.add_constant(np.ravel(classifier.intercept_), graph.dtype)
    margins = graph.add("Gemm", value, weights, intercept, transB=1)
    if isinstance(classifier, PerceptronClassifier):
        shares = _add_perceptron(graph, classifier, margins)
    else:
        shares = _add_threshold_logic(graph, classifier, margins)
    graph.add_output(shares, "probabilities", graph.dtype, [None, len(classifier.classes_)])


def _add_perceptron(graph: OnnxGraph, classifier: PerceptronClassifier, margins: str) -> str:
    n_units = len(classifier.coef_)
    several = "multilabel" if classifier._multilabel else "multiclass"
    kind = "binary" if n_units == 1 and not classifier._multilabel else several
    add_labels(graph, kind, classifier.classes_, margins)
    slope = graph.add_constant(classifier.link_slope_, graph.dtype)
    margins = graph.add("Mul", margins, slope)
    if kind == "multiclass":
        return graph.add("Softmax", margins, axis=1)
    if kind == "binary":
        margins = graph.concatenate([graph.add("Neg", margins), margins])
    return graph.add("Sigmoid", margins)


def _add_threshold_logic(
    graph: OnnxGraph, classifier: ThresholdLogicClassifier, margins: str
) -> str:
    if len(classifier.coef_) == 1:
        # The steps differ at 0 alone: heaviside(0) = 1, and sign(0) = 0 is not above it.
        fires = "GreaterOrEqual" if classifier.step == "heaviside" else "Greater"
        chosen = graph.cast(graph.add(fires, margins, graph.add_number(0.0)), np.int64)
        chosen = graph.add("Squeeze", chosen, graph.add_constant([1]))
    else:
        chosen = graph.add("ArgMax", margins, axis=1, keepdims=0)
    add_chosen(graph, classifier.classes_, chosen)
    return graph.add(
        "Gather", graph.add_constant(classifier.class_shares_, graph.dtype), chosen, axis=0
    )
