"""Optimizers, their fused calls and learning-rate schedules."""
