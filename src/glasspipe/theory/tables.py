"""Tables of theory that many points share, which a store may keep for other jobs and other studies.

They depend on species, medium and lattice, most of them neither on concentration nor on box, and
take most of the time of theory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Store(Protocol):
    """Where tables are kept."""

    def get(self, key: str) -> object | None:
        """Return the table of a key, None where there is none."""

    def put(self, key: str, table: object) -> None:
        """Keep the table of a key."""


_STORE: ContextVar[Store | None] = ContextVar("store", default=None)


@contextmanager
def kept_in(store: Store) -> Iterator[None]:
    """Look for tables in a store before they are made, and keep there what is made."""
    before = _STORE.set(store)
    try:
        yield
    finally:
        _STORE.reset(before)


def table(in_memory: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function returns: of so many calls in memory, of all in the store.

    Its arguments tell all that the table depends on: two that print alike are the same.
    """

    def keeping(make: Callable[P, T]) -> Callable[P, T]:
        @lru_cache(maxsize=in_memory)
        @wraps(make)
        def found(*args: P.args, **kwargs: P.kwargs) -> T:
            store = _STORE.get()
            if store is None:
                return make(*args, **kwargs)
            key = f"{make.__module__}.{make.__qualname__}{args!r}{kwargs!r}"
            kept = store.get(key)
            if kept is None:
                kept = make(*args, **kwargs)
                store.put(key, kept)
            return kept  # type: ignore[return-value]

        return found  # type: ignore[return-value]

    return keeping
