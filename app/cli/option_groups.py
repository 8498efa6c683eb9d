"""Options that several commands share, as one parameter of each."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import typer
from typer.core import TyperCommand
from typer.models import CommandFunctionType, OptionInfo


class OptionGroup(OptionInfo):
    """The options of a function, as one parameter: `Annotated[Settings, OptionGroup(read_settings)]`.

    The command gets the function's result. A context manager is left after the command has run.
    """

    def __init__(self, make: Callable[..., object]) -> None:
        super().__init__(default=..., parser=str)  # Typer takes a parameter of any type that has a parser
        alone = typer.Typer(add_completion=False)
        alone.command()(make)
        self.command: Any = typer.main.get_command(alone)

    def value_in(self, context: Any) -> Any:
        """Remove the options from the context of the command, and return the function's result for them."""
        made = self.command.callback(**{each.name: context.params.pop(each.name) for each in self.command.params})
        return context.with_resource(made) if isinstance(made, AbstractContextManager) else made


class GroupedCommand(TyperCommand):
    """A command with the options of its groups, which follow its own in its help."""

    def __init__(self, name: str | None, *, params: list[Any], **settings: Any) -> None:
        infos = {each.name: each.type_descriptor.parameter_info for each in params}
        self.groups = {key: info for key, info in infos.items() if isinstance(info, OptionGroup)}
        own = [each for each in params if each.name not in self.groups]
        shared = [each for group in self.groups.values() for each in group.command.params]
        super().__init__(name, params=[*own, *shared], **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the command with the result of each option group."""
        for name, group in self.groups.items():
            ctx.params[name] = ctx.invoke(group.value_in, ctx)  # so that an error names the command
        return super().invoke(ctx)


class Commands(typer.Typer):
    """Commands whose parameters can be groups of options."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Declare a function as a command."""
        return super().command(name, cls=GroupedCommand, **options)
