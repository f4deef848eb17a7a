"""Displays of images: weights, predictions and reconstructions."""
