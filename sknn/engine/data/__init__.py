"""Batches on their way to the network: device, precision, threads, sparse samples, passes."""
