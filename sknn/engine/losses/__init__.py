"""Losses for PyTorch, around the table of `sknn.losses`."""
