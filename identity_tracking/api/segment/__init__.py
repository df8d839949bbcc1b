"""Segment's HTTP API, for its unmodified clients and RudderStack's."""
