"""The defects in a box, and the Hamiltonian that they make."""
