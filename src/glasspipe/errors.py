"""What a user can mend, told in one line: the commands print it and end with status 2."""


class ConfigError(ValueError):
    """A study or point that cannot be run; its message is one line, whatever the user's text."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else "?" for c in message))


class DataError(ValueError):
    """A data file that cannot be used; the message is one line."""


def line_of(error: Exception) -> str:
    """Return what an error says in one line, that of the system with the file that it is about."""
    if not isinstance(error, OSError):
        return str(error)
    name = f"{error.filename}: " if error.filename else ""
    return name + (error.strerror or " ".join(str(error).split()))  # HDF5's have no strerror
