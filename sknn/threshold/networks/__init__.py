"""Networks of threshold logic units for logical propositions."""
