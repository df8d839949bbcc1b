"""The documentation's sources, and what of it the code itself says."""
