"""A crowd of real processes that say things of the same people at the same time."""
