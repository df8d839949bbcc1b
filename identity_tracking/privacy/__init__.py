"""What people may ask for and the law demands: a copy, deletion, erasure, and an end to keeping."""
