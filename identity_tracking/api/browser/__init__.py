"""The browser endpoint: what the script posts, read, checked and processed."""
