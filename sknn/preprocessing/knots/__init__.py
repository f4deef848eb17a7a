"""Knots for piecewise linear functions of numbers."""
