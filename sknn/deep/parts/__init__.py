"""Held parts of deep estimators: reader of X, target, builder of the network, training."""
