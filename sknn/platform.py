"""A module of scikit-neuralnetwork; importing it raises an error that says what to import."""

from sknn._old_names import explain_module

raise ImportError(explain_module(__name__))
