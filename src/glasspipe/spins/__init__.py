"""Spins while they freeze, and what they show."""
