"""`guidance setup`: leads an administrator through the first day."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.cli.option_groups import OptionGroup
from app.cli.options import DataDir, paint, visible
from app.errors import SetupError
from app.extensions.operator_tools.commands.setup_steps import (
    ACTIONS,
    FirstDay,
    SetupOptions,
    StepLeft,
    parse_values,
    tell,
)
from app.extensions.operator_tools.services.first_day import STEPS, Step, examine_step, is_to_do, state_of_step
from app.logs import set_up_logs
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from app.services.operations.check_model import Condition, Verdict

A_TRIAL = (
    "{folder} is the data of a trial, whose key lies beside it. Name an empty folder: "
    "guidance setup GUIDANCE_DATA_DIR=FOLDER"
)
NAME_WIDTH = 8
COLOURS = {"done": "green", "open": "cyan", "left": "yellow"}


def setup(
    given: Annotated[SetupOptions, OptionGroup(SetupOptions)],
    file: Annotated[
        Path, typer.Option("--env-file", dir_okay=False, help="File of settings, which is written.")
    ] = Path("guidance.env"),
    data_dir: DataDir = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing. Without a terminal nothing is asked.")] = (
        False
    ),
) -> None:
    """Lead through the first day: council, numbers, keys, address, email, sign-in, first lead, an invented concern.

    Each step says what was checked and what is left. Stop at any time, and run it again: it continues where it stopped.
    Without questions, give settings as SETTING=VALUE. Exit status 1 while something is left.
    """
    set_up_logs("error")
    keys = given.keys or file.parent / "keys"
    day = FirstDay(file, data_dir, given, asks=not no_input and sys.stdin.isatty(), keys=keys)
    values = parse_values(given.values or [])
    day.write(values if data_dir is None else values | {"data_dir": str(data_dir)})
    folder = day.settings.data_dir
    if (folder / DEVELOPMENT_IDENTITY).exists():
        raise SetupError(A_TRIAL.format(folder=folder))
    left = list(take_all(day))
    if left:
        typer.echo(f"\nLeft: {', '.join(left)}. Then run guidance setup again.")
        raise typer.Exit(1)
    day.link_file.unlink(missing_ok=True)
    typer.echo("\nThe first day is over. Now run guidance doctor: it checks everything else.")
    if day.identities:
        places = " and ".join(map(str, day.identities))
        typer.echo(f"Take {places} off this computer: one to the team's safe, one to another place.")


def take_all(day: FirstDay) -> Iterator[str]:
    """Do the steps in order, and yield the name of each that is incomplete afterwards; optional ones never are.

    The first start publishes the numbers to call, so steps that need the database are only examined until all others
    are complete.
    """
    is_blocked = False
    for step in STEPS:
        if is_to_do(take(step, day, acts=not (is_blocked and step.opens_database))):
            is_blocked |= step.is_in_first_day_check and not step.opens_database
            yield step.name


def take(step: Step, day: FirstDay, *, acts: bool) -> Verdict:
    """Examine `step`; if it is not done and `acts`, do it and examine it again."""
    typer.echo(f"\n{step.title}")
    with day.examined() as context:
        verdict = examine_step(step, context)
    if acts and verdict.condition is not Condition.FINE and step.name in ACTIONS:
        try:
            ACTIONS[step.name](day)
        except StepLeft:
            tell("Left: nothing of this step is written.")
        with day.examined() as context:
            verdict = examine_step(step, context)
    word = state_of_step(verdict)
    action = f". {verdict.action[:1].upper()}{verdict.action[1:]}" if verdict.action else ""
    typer.echo(f"{paint(f'{word:<5}', COLOURS[word])}  {step.name:<{NAME_WIDTH}}{visible(verdict.found + action)}")
    return verdict
