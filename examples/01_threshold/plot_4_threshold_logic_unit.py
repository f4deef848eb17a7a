"""
The threshold logic unit: any numbers, weighted
===============================================

Rosenblatt's threshold logic unit takes real numbers in place of zeros and ones, weighs them and
passes the sum z = xᵀθ + b through a step, which makes it logistic regression with a step for the
sigmoid (1958, doi:10.1037/h0042519).
"""

# %%
# A weighted sum and a step
# -------------------------
# The weighted sum says how far a sample is above the threshold. *heaviside* turns it into 1 from 0
# on, and *sign* into -1, 0 or 1; the two differ on the threshold itself.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from sknn import ThresholdLogicClassifier
from sknn.threshold import ThresholdUnit

X = np.array([[0.5, 2.0], [1.0, 1.0], [3.0, 0.2]])
unit = ThresholdUnit([1.0, -2.0], intercept=1.0)
signed = ThresholdUnit([1.0, -2.0], intercept=1.0, step="sign")
print("z         ", unit.net_input(X))
print("heaviside ", unit(X))
print("sign      ", signed(X))

# %%
# The bias is a weight too
# ------------------------
# With an extra input that is always 1 the bias becomes its weight θ₀, and the sum is one product.
augmented = ThresholdUnit.from_augmented([1.0, 1.0, -2.0])
with_ones = np.column_stack([np.ones(len(X)), X])
print(augmented, with_ones @ [1.0, 1.0, -2.0])

# %%
# Comparison with logistic regression
# -----------------------------------
# Both draw a line in the plane of two measurements. Logistic regression says how probable
# *virginica* is, the unit says yes or no; its weights are those with the fewest errors.
iris = load_iris()
others = iris.target > 0
petals, virginica = iris.data[others, 2:], iris.target[others] == 2
logistic = LogisticRegression().fit(petals, virginica)
threshold = ThresholdLogicClassifier(random_state=0).fit(petals, virginica)
for name, model in {"logistic": logistic, "threshold": threshold}.items():
    n_wrong = int((model.predict(petals) != virginica).sum())
    weights, bias = model.coef_[0].round(2), model.intercept_[0].round(2)
    print(f"{name:<10} weights {weights}  bias {bias}  {n_wrong} wrong")

# %%
# From the centre of one species to the centre of the other, the output of logistic regression rises
# smoothly, and that of the unit jumps:
figure, (left, right) = plt.subplots(
    1, 2, figsize=(8.4, 3.5), layout="constrained", gridspec_kw={"wspace": 0.06}
)
for label, marker in {False: "o", True: "^"}.items():
    points = petals[virginica == label].T
    name = iris.target_names[1 + label]
    left.scatter(*points, marker=marker, c="white", edgecolors="black", s=25, label=name)
ends = petals[~virginica].mean(axis=0), petals[virginica].mean(axis=0)
share = np.linspace(-0.5, 1.5, 401)
path = ends[0] + share[:, None] * (ends[1] - ends[0])
left.plot(*path.T, color="grey", linestyle=":", label="way across")
looks = {"logistic": ("#0072B2", "-"), "threshold": ("#D55E00", "--")}
length = np.linspace(3.6, 6, 2)
for name, model in {"logistic": logistic, "threshold": threshold}.items():
    color, style = looks[name]
    (along, up), bias = model.coef_[0], model.intercept_[0]
    left.plot(length, -(bias + along * length) / up, color=color, linestyle=style)
answers = {"logistic": logistic.predict_proba(path)[:, 1], "threshold": threshold.predict(path)}
for name, answer in answers.items():
    color, style = looks[name]
    right.plot(share, answer, color=color, linestyle=style, label=name)
left.set(xlabel="petal length (cm)", ylabel="petal width (cm)", ylim=(0.8, 2.7))
right.set(xlabel="way from versicolor (0) to virginica (1)", ylabel="output")
left.legend(fontsize="small", loc="lower right")
right.legend(fontsize="small")
plt.show()

# %%
# A threshold logic unit is a weighted sum like that of logistic regression, with a bias that is one
# more weight; its step gives a class where the sigmoid gives a probability.
