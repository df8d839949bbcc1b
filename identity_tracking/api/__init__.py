"""HTTP from outside: the one room that knows REST framework and wire formats."""
