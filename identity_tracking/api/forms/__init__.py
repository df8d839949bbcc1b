"""Forms of pages that post without a script."""
