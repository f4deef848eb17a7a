"""A web page on which neural networks can be watched while they learn.

``python -m sknn.playground`` opens it; it needs ``sknn[playground]``. `make_problem` and
`make_table_problem` give its data to Python, so that the code shown on the page runs anywhere.
"""

from sknn.playground._problems import Problem, make_problem, make_table_problem

__all__ = ["Problem", "make_problem", "make_table_problem"]
