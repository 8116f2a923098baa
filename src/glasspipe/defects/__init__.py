"""What the defects are, drawn one by one or as theory counts them."""
