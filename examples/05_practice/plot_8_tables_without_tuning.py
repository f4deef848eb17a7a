"""
Tables without tuning
=====================

The members of the ensemble `TabularMLPRegressor` hold out samples of their own, so that it needs
neither a validation set nor a search: here it is fitted once and compared with boosted trees.
"""

# %%
# Progression of diabetes
# -----------------------
# The data are ten measurements of 442 diabetes patients, and the progression of the disease a year
# later. All estimators have their defaults, and the same five splits.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_score

from sknn import TabularMLPRegressor

X, y = load_diabetes(as_frame=True, scaled=False, return_X_y=True)
splits = KFold(n_splits=5, shuffle=True, random_state=0)
contestants = {
    "TabularMLPRegressor": TabularMLPRegressor(random_state=0),
    "boosted trees": HistGradientBoostingRegressor(random_state=0),
    "linear regression": LinearRegression(),
}
errors = pd.DataFrame(
    {
        name: -cross_val_score(model, X, y, cv=splits, scoring="neg_root_mean_squared_error")
        for name, model in contestants.items()
    }
)
print(errors.mean().round(1).to_string())

# %%
# Early stopping on held-out samples
# ----------------------------------
# Each of the eight members holds out an eighth of the samples. The loss of all held-out samples
# ends training: on a table with this much noise, after few epochs.
model = TabularMLPRegressor(random_state=0).fit(X, y)
figure, ax = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
epochs = np.arange(1, model.n_iter_ + 1)
ax.plot(epochs, model.loss_curve_, label="training samples")
ax.plot(epochs, model.validation_loss_curve_, "--", label="held-out samples")
ax.axvline(model.best_iter_, color="0.5", linestyle=":", label="epoch that is kept")
ax.set(xlabel="epoch", ylabel="squared error / 2 (standardised)")
ax.legend()
plt.show()

# %%
# Feature importances
# -------------------
# The loss that shuffling a column adds on the held-out samples, as a share of the total.
importances = pd.Series(model.feature_importances_, X.columns).sort_values()
figure, ax = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
ax.barh(importances.index, importances)
ax.set(xlabel="share of the added loss")
plt.show()

# %%
# The ensemble is well ahead of boosted trees at their defaults and level with linear regression,
# which is hard to beat on so few noisy samples; body mass index and the blood value s5 are the most
# important features.
