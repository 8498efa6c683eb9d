"""The models: requests, responses and tables."""

from sqlmodel import SQLModel

# The naming convention for constraints and indexes, the same on SQLite and PostgreSQL.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
SQLModel.model_config["defer_build"] = True  # table rows are never validated, so Pydantic need not build validators
