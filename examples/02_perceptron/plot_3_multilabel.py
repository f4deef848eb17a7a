"""
One sample, several labels
==========================

The units of a layer decide independently of each other, so that a sample may have several labels,
or none: y then has a column of zeros and ones for each label.
"""

# %%
# Three questions about a digit
# -----------------------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report, multilabel_confusion_matrix
from sklearn.model_selection import train_test_split

from sknn import PerceptronClassifier
from sknn.inspection import WeightMapDisplay

X, digit = load_digits(return_X_y=True)
questions = ["even", "above 4", "has a loop"]
Y = np.column_stack([digit % 2 == 0, digit > 4, np.isin(digit, [0, 6, 8, 9])]).astype(int)
X_train, X_test, Y_train, Y_test = train_test_split(X, Y, random_state=0)
layer = PerceptronClassifier(random_state=0).fit(X_train, Y_train)
predicted = layer.predict(X_test)
print("answers for three images:", predicted[:3], sep="\n")
print(classification_report(Y_test, predicted, target_names=questions, zero_division=0))

# %%
# A sample counts as correct in ``score`` only if all of its labels are correct.
print(f"all three right: {layer.score(X_test, Y_test):.3f}")
for question, table in zip(questions, multilabel_confusion_matrix(Y_test, predicted), strict=True):
    print(f"{question:<11} {np.trace(table) / table.sum():.3f} right")

# %%
# The weights of each unit show what its label looks like.
display = WeightMapDisplay.from_estimator(layer, n_columns=3)
for ax, question in zip(display.axes_, questions, strict=True):
    ax.set_title(question, fontsize="small")
plt.show()

# %%
# Three units answered three questions about the same image independently of each other; a question
# that is not linear in the pixels, such as *above 4*, was answered less accurately than one that
# nearly is.
