"""Classification and regression: what ``fit`` takes, and what is predicted."""
