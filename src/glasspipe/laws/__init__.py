"""The parts of the theory: fields of a pair, their sums and their laws."""
