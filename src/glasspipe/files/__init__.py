"""Data files: what is in them, where they are, what made them."""
