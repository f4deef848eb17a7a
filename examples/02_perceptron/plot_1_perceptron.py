"""
A perceptron learns from its errors
===================================

Rosenblatt's perceptron changes its weights only at samples that it gets wrong, and stops for good
once there are none, if a straight line can separate the classes (doi:10.1037/h0042519).
"""

# %%
# Two species that a line separates
# ---------------------------------
import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import PerceptronClassifier
from sknn.inspection import DecisionLineDisplay, LossCurveDisplay, NetworkDiagramDisplay

iris = load_iris(as_frame=True)
X = iris.data[["petal length (cm)", "petal width (cm)"]]
names = iris.target_names[iris.target]
setosa = names == "setosa"

perceptron = PerceptronClassifier(update="online", record_weights="update", random_state=1)
perceptron.fit(X, setosa)
print("errors after each epoch:", [int(n) for n in perceptron.errors_curve_])
for epoch in (1, 2, 3):
    changed = perceptron.history_["sample"][perceptron.history_["epoch"] == epoch]
    print(f"epoch {epoch}: weights changed at {len(changed)} samples {changed.tolist()}")
print("weights:", perceptron.coef_.round(2), "bias:", perceptron.intercept_.round(2))

# %%
# Each change moved the line, from pale to dark; the arrow points to the side of *setosa*. Some of
# the first lines lie outside of the picture. Once no sample is wrong, no weight changes any more.
DecisionLineDisplay.from_estimator(perceptron, X, names)
plt.show()

# %%
# The diagram of the unit, with the values for the first flower:
NetworkDiagramDisplay.from_estimator(perceptron, X.iloc[:1], class_names=["setosa"])
plt.show()

# %%
# Two species that overlap
# ------------------------
# No line separates versicolor from virginica without errors, and the online rule never converges.
# The default uses all misclassified samples at once and keeps the best weights of all epochs
# (``pocket``).
others = ~setosa
virginica = names[others] == "virginica"
rules = {
    "one sample at a time": PerceptronClassifier(
        update="online", pocket=False, tol=None, max_iter=40, random_state=0
    ),
    "all samples at once": PerceptronClassifier(tol=None, max_iter=40),
}
for name, rule in rules.items():
    rule.fit(X[others], virginica)
    last = [int(n) for n in rule.errors_curve_[-5:]]
    accuracy = rule.score(X[others], virginica)
    print(f"{name}: accuracy {accuracy:.2f}, errors of the last epochs {last}")
display = LossCurveDisplay.from_estimators(rules)
display.ax_.set_ylabel("misclassified samples of 100")
plt.show()

# %%
# Triangles are virginica, and the blue region is classified as virginica.
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

# sphinx_gallery_thumbnail_number = 4

# %%
# No errors were left after the first epoch for the separable classes. For the others the errors of
# the online rule went up and down to the end, and the pocket of the batch rule kept the best line.
