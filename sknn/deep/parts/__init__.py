"""What deep estimators hold: reader of X, target, builder of the network, training."""
