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
# The usual gates are there by their names, for any number of inputs. All of them are one unit.
gates = {"AND": AND(), "OR": OR(), "NAND": NAND(), "NOR": NOR(), "IMPLIES": IMPLIES()}
for name, gate in gates.items():
    print(f"{name:<8} {gate}  ->  {gate([[0, 0], [0, 1], [1, 0], [1, 1]])}")
print("MAJORITY of 1, 0, 1:", MAJORITY(3)([[1, 0, 1]]))

# %%
# The same as pictures: the width of a line is the size of its weight, blue is positive and orange
# negative, and θ beneath the unit is its threshold. The only filled nodes are those that fire.
figure, axes = plt.subplots(2, 2, figsize=(8.4, 5), layout="constrained")
examples = {"a and b": [1, 0], "a or b": [1, 0], "not a and not b": [0, 0], "not a or b": [1, 0]}
for ax, (text, example) in zip(axes.ravel(), examples.items(), strict=True):
    NetworkDiagramDisplay.from_estimator(ThresholdNetwork.from_expression(text), [example], ax=ax)
    ax.set_title(text)
plt.show()

# %%
# Any proposition
# ---------------
# Networks of such units compute whatever can be said with *and*, *or* and *not*. This one has
# been made from the text; it adds two binary digits.
adder = ThresholdNetwork.from_expression({"sum": "a ^ b", "carry": "a and b"})
print(adder)
NetworkDiagramDisplay.from_estimator(adder, [[1, 1]])
plt.show()

# %%
# So one threshold is the difference between AND and OR, a sign makes NOT, and layers of such units
# make the rest of logic.
