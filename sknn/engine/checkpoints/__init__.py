"""The state of training in files, so that a fit goes on where a process ended."""
