"""Bugs planted one at a time: what the tests are worth is how many of them they catch."""
