"""How fast our estimators are beside scikit-learn's, a plain PyTorch loop and plain skorch.

``python -m benchmarks --help`` tells how to run it. Never part of the tests: absolute times
on shared machines are noise, and ratios are what counts.
"""
