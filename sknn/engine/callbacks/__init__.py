"""Work at the end of an epoch: stopping, progress, weight averages, callbacks."""
