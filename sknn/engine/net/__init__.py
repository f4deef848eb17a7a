"""The skorch net, its state and its files."""
