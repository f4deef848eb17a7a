"""Threshold logic units, networks of them and perceptrons, in NumPy alone."""

from sknn.activations import heaviside
from sknn.threshold._classifier import ThresholdLogicClassifier
from sknn.threshold._forward_pass import forward_pass
from sknn.threshold._gates import AND, IMPLIES, MAJORITY, NAND, NOR, NOT, OR, at_least
from sknn.threshold._network import ThresholdNetwork
from sknn.threshold._perceptron import PerceptronClassifier
from sknn.threshold._truth_table import truth_table
from sknn.threshold._unit import ThresholdUnit, sign

__all__ = [
    "AND",
    "IMPLIES",
    "MAJORITY",
    "NAND",
    "NOR",
    "NOT",
    "OR",
    "PerceptronClassifier",
    "ThresholdLogicClassifier",
    "ThresholdNetwork",
    "ThresholdUnit",
    "at_least",
    "forward_pass",
    "heaviside",
    "sign",
    "truth_table",
]
