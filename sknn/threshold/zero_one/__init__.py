"""Threshold logic units learned from the 0/1 loss."""
