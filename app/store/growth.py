"""How large the database is, and how much of it is free for reuse."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from app.store.database import DATABASE_FILE

_SIZE_OF_SQLITE = (
    "SELECT page_count * page_size, freelist_count * page_size FROM pragma_page_count, pragma_page_size,"
    " pragma_freelist_count"
)
_SIZE_OF_POSTGRESQL = "SELECT pg_database_size(current_database())"
_DEAD_ROWS = "SELECT coalesce(sum(pg_relation_size(relid) * n_dead_tup / greatest(n_live_tup + n_dead_tup, 1)), 0)"


@dataclass(frozen=True)
class Growth:
    """Sizes in bytes: of the database, of what of it is free for reuse, and of the log beside it (SQLite)."""

    total_bytes: int
    free_bytes: int
    log_bytes: int


def measure_growth(engine: Engine) -> Growth:
    """Measure the database. On PostgreSQL the free space is estimated from the server's statistics."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            total, free = connection.execute(text(_SIZE_OF_SQLITE)).one()
            file = connection.execute(text("SELECT file FROM pragma_database_list WHERE name = 'main'")).scalar_one()
            return Growth(total, free, _size_of(Path(file).with_name(f"{DATABASE_FILE}-wal")))
        total = connection.execute(text(_SIZE_OF_POSTGRESQL)).scalar_one()
        free = connection.execute(text(f"{_DEAD_ROWS} FROM pg_stat_user_tables")).scalar_one()
    return Growth(total, int(free), 0)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
