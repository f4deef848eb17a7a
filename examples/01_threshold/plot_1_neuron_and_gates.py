"""
A neuron is a gate
==================

A neuron that fires where the sum of its binary inputs reaches a threshold computes a logic gate,
and which gate it is depends on the threshold alone. McCulloch and Pitts described it in 1943
(doi:10.1007/bf02478259); nothing is learned yet.
"""

# %%
# Two inputs, two thresholds
# --------------------------
# Both units add up their inputs. The one that asks for 2 is AND, the one that asks for 1 is OR.
import matplotlib.pyplot as plt

from sknn.inspection import NetworkDiagramDisplay
from sknn.threshold import (
    AND,
    IMPLIES,
    MAJORITY,
    NAND,
    NOR,
    OR,
    ThresholdNetwork,
    ThresholdUnit,
    truth_table,
)

conjunction = ThresholdUnit([1, 1], threshold=2)
disjunction = ThresholdUnit([1, 1], threshold=1)
for unit in (conjunction, disjunction):
    print(truth_table(unit, names=["a", "b"]).to_string(index=False), end="\n\n")

# %%
# An inhibitory input is multiplied by -1. Alone, with the threshold 0, it gives NOT.
negation = ThresholdUnit([1], threshold=0, inhibitory=[0])
print(truth_table(negation, names=["a", "not a"]).to_string(index=False))

# %%
# Gates by name
# -------------
# The usual gates have names and take any number of inputs. Each of them is a single unit.
gates = {"AND": AND(), "OR": OR(), "NAND": NAND(), "NOR": NOR(), "IMPLIES": IMPLIES()}
for name, gate in gates.items():
    print(f"{name:<8} {gate}  ->  {gate([[0, 0], [0, 1], [1, 0], [1, 1]])}")
print("MAJORITY of 1, 0, 1:", MAJORITY(3)([[1, 0, 1]]))

# %%
# In the diagrams the width of a line is the size of its weight, blue is positive and orange
# negative, and θ beneath the unit is its threshold. Only the nodes that fire are filled.
figure, axes = plt.subplots(2, 2, figsize=(8.4, 5), layout="constrained")
examples = {"a and b": [1, 0], "a or b": [1, 0], "not a and not b": [0, 0], "not a or b": [1, 0]}
for ax, (text, example) in zip(axes.ravel(), examples.items(), strict=True):
    NetworkDiagramDisplay.from_estimator(ThresholdNetwork.from_expression(text), [example], ax=ax)
    ax.set_title(text)
plt.show()

# %%
# Networks for propositions
# -------------------------
# Networks of such units compute every proposition of *and*, *or* and *not*. This network was
# made from a text; it adds two binary digits.
adder = ThresholdNetwork.from_expression({"sum": "a ^ b", "carry": "a and b"})
print(adder)
NetworkDiagramDisplay.from_estimator(adder, [[1, 1]])
plt.show()

# %%
# AND and OR differ in the threshold alone, a negative weight gives NOT, and layers of such units
# compute every other proposition.
