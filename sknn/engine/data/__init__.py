"""Batches on their way to the network: device, precision, threads, sparse, forward passes."""
