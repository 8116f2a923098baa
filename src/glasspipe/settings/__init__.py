"""What a study may say, and how it is read."""
