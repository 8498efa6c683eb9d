"""`guidance desk purge`: erases concerns at the end of their retention."""

from typing import Annotated

import typer

from app.cli.open_database import open_writer
from app.cli.options import REMAINS, AsJson, SettingsOptions, echo_result, progress
from app.clock import utc_now
from app.services.audit.remnants import has_remnants
from app.services.desk.retention import RetentionPeriods, erase_due_concerns

ClockChecked = Annotated[
    bool,
    typer.Option(
        "--clock-checked",
        help="Confirm that the date of this computer is right, although it is far from the last known time.",
    ),
]


def desk_purge(settings: SettingsOptions, clock_checked: ClockChecked = False, as_json: AsJson = False) -> None:
    """Erase the text of concerns whose retention has ended. Unacknowledged concerns are never erased.

    Nothing is erased if the system clock and the last known time differ by more than a day, for example after a
    wrong date or a long stop. Check the date, then use --clock-checked to allow erasure again.
    """
    periods = RetentionPeriods.of(settings)
    with open_writer(settings) as (engine, writer), progress("Erasing"):
        due = erase_due_concerns(engine, writer, periods, at=utc_now(), is_clock_checked=clock_checked)
        erased = sum(1 for _ in due)
        remains = has_remnants(engine)
    echo_result([f"{erased} erased"], {"erased": erased, "former_texts_remain": remains}, as_json=as_json)
    if remains:
        typer.echo(REMAINS, err=True)
