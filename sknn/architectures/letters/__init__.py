"""Sequences of letters, which filters read by compiled code."""
