"""Every compiled loop of glasspipe: plain arrays in, results into arrays given."""
