"""BLAS has one thread, as in every command: two workers of the tests would stand in its way."""

import glasspipe.cli  # noqa: F401
