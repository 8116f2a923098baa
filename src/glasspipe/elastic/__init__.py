"""Strain of force dipoles: Green's functions, and their sums over a periodic box."""
