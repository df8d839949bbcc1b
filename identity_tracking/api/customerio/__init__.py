"""Customer.io's Track API, versions 1 and 2, for its unmodified clients."""
