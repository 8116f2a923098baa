"""A folder to run studies in: Snakefile, config and profiles, as the package has them."""

import os
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from glasspipe.errors import DataError


def write_template(folder: Path) -> list[str]:
    """Fill a folder that is new or empty, all of it or nothing, and return what is in it, sorted.

    Raises
    ------
    DataError
        If the folder is something else, or holds something.
    OSError
        If something could not be written.
    """
    new = not os.path.lexists(folder)
    if not new and not folder.is_dir():
        raise DataError(f"{folder}: is no folder; must be a new or an empty one")
    if not new and any(folder.iterdir()):
        raise DataError(f"{folder}: is not empty; must be a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            as_file(files("glasspipe") / "template") as template,
            TemporaryDirectory(dir=folder) as temporary,
        ):
            _copy(template, Path(temporary))
            made = sorted(path.name for path in Path(temporary).iterdir())
            for name in made:
                Path(temporary, name).rename(folder / name)
    except OSError:
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise
    return made


def _copy(source: Path, target: Path) -> None:
    """Copy what is in a folder, links as what they point to, with the user's own permissions."""
    for where, _, names in os.walk(source, followlinks=True):
        folder = target / Path(where).relative_to(source)
        folder.mkdir(exist_ok=True)
        for name in names:
            copyfile(Path(where, name), folder / name)
