"""Recorded traffic of real clients, and what it makes when it is sent again."""
