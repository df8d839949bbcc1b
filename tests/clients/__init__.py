"""Clients of other products, unmodified, against a live server: a call counts by its rows."""
