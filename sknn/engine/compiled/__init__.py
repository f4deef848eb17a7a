"""Handwritten backpropagation as compiled functions, for small networks on the CPU."""
