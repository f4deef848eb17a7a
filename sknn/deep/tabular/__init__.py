"""Ensembles of multilayer perceptrons for tables."""
