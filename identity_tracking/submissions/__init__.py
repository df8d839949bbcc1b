"""Forms that somebody filled in: what a submission says, and the forms that there are."""
