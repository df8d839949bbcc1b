"""What attackers try, case by case, and what becomes of it: ``python -m tests.attacks``."""
