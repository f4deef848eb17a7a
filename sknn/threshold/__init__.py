"""Threshold logic units, networks of them and perceptrons, in NumPy alone."""

from sknn.activations import heaviside
from sknn.threshold._gates import AND, IMPLIES, MAJORITY, NAND, NOR, NOT, OR, at_least
from sknn.threshold._unit import ThresholdUnit, sign

# for the inspection of a forward pass, and no public name
from sknn.threshold.networks._binary_tables import check_binary as check_binary
from sknn.threshold.networks._network import ThresholdNetwork
from sknn.threshold.networks._truth_table import truth_table
from sknn.threshold.perceptron._classifier import PerceptronClassifier
from sknn.threshold.zero_one._classifier import ThresholdLogicClassifier

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
    "heaviside",
    "sign",
    "truth_table",
]
