"""Groups of options that a command takes as one parameter."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import typer
from typer.core import TyperCommand
from typer.models import OptionInfo

NOT_A_NUMBER = re.compile(r"Input should be a valid (?:integer|number)\b.*")


class OptionGroup(OptionInfo):
    """The options of `make` as one parameter: `Annotated[Settings, OptionGroup(read_settings)]`.

    The command gets its result, or what it yields if it is a context manager, which ends after the command.
    """

    def __init__(self, make: Callable[..., object]) -> None:
        super().__init__(default=..., parser=str)  # Typer takes a parameter of any type that has a parser
        alone = typer.Typer(add_completion=False)
        alone.command()(make)
        self.command: Any = typer.main.get_command(alone)

    def value_in(self, context: Any) -> Any:
        """Take the group's options out of `context`."""
        made = self.command.callback(**{each.name: context.params.pop(each.name) for each in self.command.params})
        return context.with_resource(made) if isinstance(made, AbstractContextManager) else made


class GroupedCommand(TyperCommand):
    """A command whose help lists its own options before those of its groups."""

    def __init__(self, name: str | None, *, params: list[Any], **settings: Any) -> None:
        infos = {each.name: each.type_descriptor.parameter_info for each in params}
        self.groups = {key: info for key, info in infos.items() if isinstance(info, OptionGroup)}
        own = [each for each in params if each.name not in self.groups]
        shared = [each for group in self.groups.values() for each in group.command.params]
        super().__init__(name, params=[*own, *shared], **settings)

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        with refusals_in_one_style():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: Any) -> Any:
        with refusals_in_one_style():
            for name, group in self.groups.items():
                ctx.params[name] = ctx.invoke(group.value_in, ctx)  # `ctx.invoke` lets an error name the command
            return super().invoke(ctx)


class Refusal(typer.BadParameter):
    """A refusal that is about no single value."""

    def format_message(self) -> str:
        return self.message


@contextmanager
def refusals_in_one_style() -> Iterator[None]:
    """Say errors as a sentence that says 'must be ...'."""
    try:
        yield
    except typer.BadParameter as refusal:
        message = NOT_A_NUMBER.sub("must be a whole number", refusal.message.removeprefix("Value error, "))
        message = re.sub("^Input should be ", "must be ", message)
        refusal.message = message if "\n" in message or not message else f"{message.rstrip('.')}."
        if refusal.param is None and refusal.param_hint is None:
            raise Refusal(refusal.message, refusal.ctx) from None
        raise
