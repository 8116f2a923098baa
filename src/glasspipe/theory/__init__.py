"""What is known of the fields without drawing them: exact laws, limits, widths."""
