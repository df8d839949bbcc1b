"""Messages in, outcomes out: everything that is ever stored comes this one way."""
