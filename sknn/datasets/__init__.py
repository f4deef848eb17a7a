"""Data sets of the lecture and of the examples."""

from sknn.datasets._dna import make_motif_sequences
from sknn.datasets._fashion_mnist import load_fashion_mnist

__all__ = ["load_fashion_mnist", "make_motif_sequences"]
