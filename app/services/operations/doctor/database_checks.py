"""Checks of the database: it answers, it has the schema and the rules, and how it grows."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.errors import SchemaUnknown
from app.services.operations.doctor.finding import Check, Verdict, fault, fine, warn
from app.services.operations.doctor.patient import Patient
from app.store.database import DATABASE_FILE
from app.store.growth import measure_growth
from app.store.schema import find_schema_faults, is_behind

BYTES_PER_MB = 1_000_000
LARGE_FREE_BYTES = 100 * BYTES_PER_MB
LARGE_FREE_FRACTION = 0.5
LARGE_LOG_BYTES = 200 * BYTES_PER_MB
SCHEMA = "docs/reference/operations.md#schema"


def check_database(patient: Patient) -> Verdict:
    """Check that the database is there and answers."""
    path = patient.settings.data_dir / DATABASE_FILE
    if patient.is_embedded and not path.is_file():
        return fault(f"there is no database in {patient.settings.data_dir}", "check GUIDANCE_DATA_DIR, or start once")
    try:
        with patient.engine.connect() as connection:
            connection.execute(text("SELECT number FROM generation"))
    except SQLAlchemyError:
        return fault(
            "the database does not answer, or is not one of this service",
            "check GUIDANCE_DATABASE_URL and the server; else restore a backup",
        )
    return fine("it answers")


def check_schema(patient: Patient) -> Verdict:
    """Check that the schema is of the version that this program needs. On another no further table can be read."""
    try:
        if is_behind(patient.engine):
            return fault("the schema is older than this program", "back up, then run guidance migrate")
    except SchemaUnknown:
        return fault("a newer version of this program made the schema", "install that version")
    return fine("it is the schema of this program")


def check_rules(patient: Patient) -> Verdict:
    """Check that every table, index and rule is as declared."""
    with patient.engine.connect() as connection:
        faults = find_schema_faults(connection)
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        return fault(f"{faults[0]}{more}", "find out who changed it, and restore a backup (guidance verify lists all)")
    return fine("the tables and their rules are as declared")


def check_growth(patient: Patient) -> Verdict:
    """Check how large the database is, and how much of it is free for reuse."""
    growth = measure_growth(patient.engine)
    total, free = growth.total_bytes / BYTES_PER_MB, growth.free_bytes / BYTES_PER_MB
    size = f"{total:.1f} MB, of which {free:.1f} MB are free for reuse"
    if growth.log_bytes > LARGE_LOG_BYTES:
        return warn(
            f"{size}; the log has grown to {growth.log_bytes / BYTES_PER_MB:.0f} MB, since a reader holds it",
            "end the program that reads the database for so long",
        )
    if growth.free_bytes > max(LARGE_FREE_BYTES, growth.total_bytes * LARGE_FREE_FRACTION):
        return warn(size, "stop the service, and run VACUUM (SQLite), or VACUUM FULL in a quiet hour (PostgreSQL)")
    return fine(size)


DATABASE_CHECKS = (
    Check("database", check_database, "docs/reference/operations.md#processes-and-nodes", opens_database=True),
    Check("schema", check_schema, SCHEMA, needs_database=True, opens_database=True),
    Check("rules", check_rules, SCHEMA, needs_database=True),
    Check("growth", check_growth, "docs/reference/operations.md#growth", needs_database=True),
)
