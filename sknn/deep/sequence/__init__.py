"""Convolutional networks for sequences."""
