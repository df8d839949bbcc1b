"""A small coffee shop, to see identity_tracking at work: ``make demo``."""
