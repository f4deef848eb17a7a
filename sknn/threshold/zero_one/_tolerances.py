"""Tolerances of line searches, in NumPy and compiled."""

#: differences of angles below this are rounding errors
ROUNDING = 1e-12
#: share by which the widest interval may be missed
NARROWER = 1e-9
