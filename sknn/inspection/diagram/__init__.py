"""The drawing of a network: a sheet of lines, circles and texts."""
