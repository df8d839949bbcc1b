"""The OpenAPI document: what the rooms say of their endpoints, joined by drf-spectacular."""
