"""
A perceptron learns from its errors
===================================

Rosenblatt's perceptron changes its weights only at rows that it gets wrong, and stops for good
once there are none, if a straight line can separate the classes (doi:10.1037/h0042519).
"""

# %%
# Two kinds of iris that a line separates
# ---------------------------------------
import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import PerceptronClassifier
from sknn.inspection import LossCurveDisplay, NetworkDiagramDisplay

iris = load_iris(as_frame=True)
X = iris.data[["petal length (cm)", "petal width (cm)"]]
names = iris.target_names[iris.target]
setosa = names == "setosa"

perceptron = PerceptronClassifier(update="online", shuffle=False).fit(X, setosa)
print("errors after each epoch:", [int(n) for n in perceptron.errors_curve_])
print("weights:", perceptron.coef_.round(2), "bias:", perceptron.intercept_.round(2))

# %%
# The first epoch was all it took: in those after it no row was wrong, and so no weight changed.
NetworkDiagramDisplay.from_estimator(perceptron, X.iloc[:1], class_names=["setosa"])
plt.show()

# %%
# Two kinds that overlap
# ----------------------
# Between versicolor and virginica no line is without errors, and the online rule never settles.
# The default keeps the best weights of all epochs (``pocket``), and steps along all misclassified
# rows at once.
others = ~setosa
virginica = names[others] == "virginica"
rules = {
    "one row at a time": PerceptronClassifier(
        update="online", pocket=False, tol=None, max_iter=40, random_state=0
    ),
    "all rows at once": PerceptronClassifier(tol=None, max_iter=40),
}
for name, rule in rules.items():
    rule.fit(X[others], virginica)
    print(f"{name}: accuracy {rule.score(X[others], virginica):.2f}")
display = LossCurveDisplay.from_estimators(rules)
display.ax_.set_ylabel("misclassified rows of 100")
plt.show()

# %%
# Triangles are virginica, and so is what lies in the blue.
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharey=True)
for ax, (name, rule) in zip(axes, rules.items(), strict=True):
    DecisionBoundaryDisplay.from_estimator(
        rule, X[others], response_method="predict", cmap="RdBu", alpha=0.35, ax=ax
    )
    for label, marker in {False: "o", True: "^"}.items():
        points = X[others][virginica == label].to_numpy()
        ax.scatter(*points.T, marker=marker, c="white", edgecolors="black", s=25)
    ax.set_title(name)
plt.show()

# sphinx_gallery_thumbnail_number = 3

# %%
# Where a line separates the classes the errors ended after an epoch; where none does, the
# errors of the row-by-row rule went up and down to the end, and the pocket kept the best line.
