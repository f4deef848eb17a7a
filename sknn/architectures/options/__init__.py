"""Options of architectures, and how weights are initialized."""
