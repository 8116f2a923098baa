"""What the paper states, and what a study says of it."""
