"""What is left of a text in the files of the database after its row has lost it."""

from enum import StrEnum


class Remnants(StrEnum):
    """Whether the bytes of an erased or resealed text are gone from the files of the database.

    `none`: SQLite has overwritten its pages and emptied its log. `pending`: somebody reads the database and so holds
    its log; this service tries again until it is empty. `left_to_postgresql`: the space is free, and PostgreSQL
    overwrites it when it uses it again; its own log (WAL) has the text until its retention ends.
    """

    NONE = "none"
    PENDING = "pending"
    LEFT_TO_POSTGRESQL = "left_to_postgresql"
