"""Learning from few labels and many samples without."""

from sknn.semi_supervised._pseudo_labels import PseudoLabelClassifier

__all__ = ["PseudoLabelClassifier"]
