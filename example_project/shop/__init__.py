"""Beans & Bytes: a shop without a model of its own."""
