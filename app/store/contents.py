"""The contents of published editions in memory."""

from collections import OrderedDict
from threading import Lock

from sqlalchemy import Engine
from sqlmodel import Session

from app.models.guidance.editions import EditionContent
from app.store.editions import EditionKey, read_content

MAX_CACHED_EDITIONS = 64


class Contents:
    """The content of published editions, with a cache of the latest. An edition never changes, so no entry gets old."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._cached: OrderedDict[EditionKey, EditionContent] = OrderedDict()

    def __call__(self, key: EditionKey, session: Session | None = None) -> EditionContent:
        """Return the content of the edition, from the cache if possible. Raise `NoSuchEdition`.

        A caller that has a session passes it, so that a read of the database needs no second connection.
        """
        found = self.cached(key)
        if found is not None:
            return found
        if session is None:
            with Session(self._engine) as own:
                found = read_content(own, key)
        else:
            found = read_content(session, key)
        with self._lock:
            self._cached[key] = found
            while len(self._cached) > MAX_CACHED_EDITIONS:
                self._cached.popitem(last=False)
        return found

    def cached(self, key: EditionKey) -> EditionContent | None:
        """Return the content if it is in the cache."""
        with self._lock:
            found = self._cached.get(key)
            if found is not None:
                self._cached.move_to_end(key)
        return found
