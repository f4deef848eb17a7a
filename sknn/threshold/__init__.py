"""Threshold logic units and perceptrons, in NumPy alone."""

from sknn.threshold._classifier import ThresholdLogicClassifier
from sknn.threshold._perceptron import PerceptronClassifier

__all__ = ["PerceptronClassifier", "ThresholdLogicClassifier"]
