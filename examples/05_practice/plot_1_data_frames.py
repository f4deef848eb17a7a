"""
A data frame as it comes
========================

A network takes numbers of similar size and nothing else; `DeepMLPRegressor` takes a data frame with
text, categories, truth values and missing values, and encodes it.
"""

# %%
# Rents
# -----
# A made-up table of flats: numbers, of which some are missing, a few kinds of heating, 40 streets
# of better and worse repute, and whether there is a balcony. The rent is a product of all that.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPRegressor
from sknn.preprocessing import TabularEncoder

rng = np.random.RandomState(0)
n_flats, n_streets = 3000, 40
street = rng.randint(n_streets, size=n_flats)
flats = pd.DataFrame(
    {
        "area": rng.gamma(9.0, 8.0, n_flats).round(),
        "year": rng.randint(1890, 2025, n_flats).astype(float),
        "balcony": rng.rand(n_flats) < 0.4,
        "heating": rng.choice(["gas", "oil", "heat pump", "district"], n_flats),
        "street": [f"Street {number}" for number in street],
    }
)
repute = np.exp(0.25 * rng.randn(n_streets))
rent = 12.0 * flats["area"] ** 0.9 * repute[street] * np.exp((flats["year"] - 1960).abs() / 300)
rent *= 1 + 0.08 * flats["balcony"] - 0.1 * (flats["heating"] == "oil")
rent *= np.exp(0.05 * rng.randn(n_flats))
flats.loc[rng.rand(n_flats) < 0.15, "year"] = np.nan
flats.loc[rng.rand(n_flats) < 0.05, "heating"] = None
print(flats.head().to_string())

# %%
# The fit
# -------
# Numbers are standardised, a missing value becomes the mean and is marked in a further column,
# heating becomes a column for each kind, and each street has an embedding that is learned with the
# network.
X_train, X_test, y_train, y_test = train_test_split(flats, rent, random_state=0)
model = DeepMLPRegressor(
    hidden_layer_sizes=(64, 64),
    learning_rate_init=0.003,
    early_stopping=True,
    dtype="float32",
    random_state=0,
)
model.fit(X_train, y_train)
print(model.summary())

# %%
# The encoded table
# -----------------
# The encoder can be used alone as well. The last column is the number of the street's embedding;
# number 0 is the embedding of streets that `fit` has not seen.
encoder = TabularEncoder(scale="auto").set_output(transform="pandas").fit(X_train)
print(encoder.transform(X_train).head().round(2).T.to_string())
new = X_test[:1].assign(street="Elsewhere Avenue")
print(f"rent in a street never seen: {model.predict(new)[0]:.0f}")

# %%
# Comparison with other learners
# ------------------------------
# Boosted trees take categories and missing values, too. scikit-learn's MLP needs an encoder before
# it, with a column for each street, and a scaler for the rent.
encoding = TabularEncoder(scale="standard", max_one_hot=None)
network = MLPRegressor(hidden_layer_sizes=(64, 64), early_stopping=True, random_state=0)
others = {
    "a constant": DummyRegressor(strategy="median"),
    "boosted trees": HistGradientBoostingRegressor(random_state=0),
    "MLPRegressor": TransformedTargetRegressor(
        make_pipeline(encoding, network), transformer=StandardScaler()
    ),
}
errors = {}
for name, other in others.items():
    table = flats
    if name == "boosted trees":  # which need to be told that text is a category
        table = flats.astype({"heating": "category", "street": "category"})
    other.fit(table.loc[X_train.index], y_train)
    errors[name] = mean_absolute_error(y_test, other.predict(table.loc[X_test.index]))
errors["DeepMLPRegressor"] = mean_absolute_error(y_test, model.predict(X_test))
print(f"rents are {y_test.mean():.0f} on average; mean absolute error of")
for name, error in errors.items():
    print(f"{name:<16} {error:6.1f}")

# %%
# The learned value of streets
# ----------------------------
# Nobody told the network which streets are the good ones. The rent it sees for one and the same
# flat in each of them, beside the factor that they had when the table was made up:
flat = pd.concat([X_train.assign(area=70.0, year=1980.0, heating="gas")[:1]] * n_streets)
flat["street"] = [f"Street {number}" for number in range(n_streets)]
predicted = model.predict(flat)
correlation = np.corrcoef(predicted, repute)[0, 1]
figure, ax = plt.subplots(figsize=(5, 3.4), layout="constrained")
ax.plot(repute, predicted, "o", color="#0072B2")
ax.set(
    xlabel="factor of the street",
    ylabel="predicted rent of a flat of 70 m²",
    title=f"{n_streets} streets, correlation {correlation:.2f}",
)
plt.show()

# %%
# ``fit`` and ``predict`` took the frame as it was, with missing values and a new street; the error
# was no larger than with trees or with an encoder of one's own, and the network learned which
# streets are expensive.
