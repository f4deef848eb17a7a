"""Handwritten backpropagation for multilayer perceptrons."""
