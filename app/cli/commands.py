"""Every command of `guidance` with the function that it runs and an example, under the headings of the help (by role).

A command need not wait for the imports of all others, so their modules are not imported here. All people, numbers and
references of the examples are invented.
"""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from app.build import VERSION, built_commit
from app.cli.lazy_commands import PROGRAM, SITE, CommandGroup, Commands, ExportGroup
from app.extensions import Places, switched_on

OPERATE, WRITE, DUTY = "Operate the service", "Write and publish guides", "The duty team's desk"
ACCESS, OTHERS = "Keys and access", "Other systems and auditors"
OVERSEE, PEOPLE = "Oversight", "People"
NAMED = os.environ.get("GUIDANCE_EXTENSIONS")
"""Not read from the file of `--env-file`, which a command reads only when it runs."""
GROUPS = {
    "rendition": (WRITE, "Check, approve, publish and withdraw renditions: guides in other languages and formats."),
    "export": (WRITE, "Write every public response into a folder, or verify the export of a concern."),
    "desk": (DUTY, "For the duty team: list, open, assign, close, reopen and erase concerns."),
    "keys": (ACCESS, "Keys that encrypt concerns and webhook secrets, and that sign access rows."),
    "clients": (ACCESS, "Clients: systems that can use the API, and their scopes."),
    "webhooks": (OTHERS, "Webhooks: push events to other systems."),
    "audit": (OTHERS, "Checkpoints of the audit log, for independent auditors."),
    "receipts": (OTHERS, "Signed receipts."),
}
COMMANDS: Mapping[tuple[str, str | None], Places] = {
    (PROGRAM, OPERATE): {
        "serve": ("app.cli.operations.serve:serve", "guidance serve --env-file guidance.env"),
        "health": ("app.cli.operations.health:health", "guidance health --url http://127.0.0.1:8000"),
        "backup": ("app.cli.operations.backups:backup", "guidance backup --keep 14 --test"),
        "restore": ("app.cli.operations.backups:restore", "guidance restore /backups/guidance-2026-11-24.db"),
        "verify": ("app.cli.operations.verify:verify", "guidance verify --checkpoint checkpoint.txt"),
        "migrate": ("app.cli.operations.verify:migrate", "guidance migrate --env-file guidance.env"),
        "deliver": ("app.cli.events.deliver:deliver", "guidance deliver --env-file guidance.env"),
    },
    (PROGRAM, WRITE): {
        "new": ("app.cli.guides.guides:new", "guidance new neglect"),
        "check": ("app.cli.guides.guides:check", "guidance check neglect/1.yaml"),
        "preview": ("app.cli.guides.preview:preview", "guidance preview neglect/1.yaml"),
        "approve": ("app.cli.guides.guides:approve", "guidance approve neglect/1.yaml"),
        "publish": ("app.cli.guides.guides:publish_files", "guidance publish neglect/1.yaml --digest sha256:... --new"),
        "withdraw": (
            "app.cli.guides.guides:withdraw_number",
            "guidance withdraw neglect 1 --reason 'A number was wrong. Use edition 2.'",
        ),
        "due": ("app.cli.guides.due:due", "guidance due --within 60"),
    },
    ("rendition", None): {
        "check": ("app.cli.guides.guides:check_renditions", "guidance rendition check neglect/cy.yaml"),
        "approve": ("app.cli.guides.guides:approve_rendition", "guidance rendition approve neglect/cy.yaml"),
        "publish": (
            "app.cli.guides.guides:publish_renditions",
            "guidance rendition publish neglect/cy.yaml --digest sha256:...",
        ),
        "withdraw": (
            "app.cli.guides.guides:withdraw_published_rendition",
            "guidance rendition withdraw neglect cy 1 --reason 'A mistake in the translation.'",
        ),
    },
    ("export", None): {
        SITE: ("app.cli.guides.export:export_site", "guidance export site build/export"),
        "verify": ("app.cli.desk.export_verify:export_verify", "guidance export verify concern.pdf --jwks jwks.json"),
    },
    ("desk", OVERSEE): {
        "purge": ("app.cli.desk.purge:desk_purge", "guidance desk purge --env-file guidance.env"),
    },
    ("desk", PEOPLE): {
        "invite": ("app.cli.access.people:desk_invite", "guidance desk invite 'Jo Example' --role worker"),
        "leave": ("app.cli.access.people:desk_leave", "guidance desk leave 'Jo Example'"),
        "people": ("app.cli.access.people:desk_people", "guidance desk people"),
    },
    ("keys", None): {
        "new": ("app.cli.concerns.keys:keys_new", "guidance keys new desk-identity.txt"),
        "list": ("app.cli.concerns.keys:keys_list", "guidance keys list --env-file guidance.env"),
        "reseal": ("app.cli.concerns.keys:keys_reseal", "guidance keys reseal --identity old-identity.txt"),
        "rotate-webhooks": ("app.cli.concerns.keys:keys_rotate_webhooks", "guidance keys rotate-webhooks --finish"),
        "rotate-access": ("app.cli.concerns.keys:keys_rotate_access", "guidance keys rotate-access --finish"),
    },
    ("clients", None): {
        "add": (
            "app.cli.access.clients:clients_add",
            "guidance clients add case-system --scope concerns:submit --expires 365d",
        ),
        "list": ("app.cli.access.clients:clients_list", "guidance clients list --json"),
        "rotate": ("app.cli.access.clients:clients_rotate", "guidance clients rotate case-system --overlap 7d"),
        "revoke": ("app.cli.access.clients:clients_revoke", "guidance clients revoke case-system"),
    },
    ("webhooks", None): {
        "add": (
            "app.cli.events.webhooks:webhooks_add",
            "guidance webhooks add case-system https://cases.council.example/hook --event concern.received",
        ),
        "list": ("app.cli.events.webhooks:webhooks_list", "guidance webhooks list"),
        "remove": ("app.cli.events.webhooks:webhooks_remove", "guidance webhooks remove case-system"),
        "rotate": ("app.cli.events.webhooks:webhooks_rotate", "guidance webhooks rotate case-system --finish"),
        "replay": ("app.cli.events.webhooks:webhooks_replay", "guidance webhooks replay case-system"),
        "retry": ("app.cli.events.webhooks:webhooks_retry", "guidance webhooks retry case-system"),
        "test": ("app.cli.events.webhooks:webhooks_test", "guidance webhooks test email"),
    },
    ("audit", None): {
        "checkpoint": ("app.cli.audit.audit_log:audit_checkpoint", "guidance audit checkpoint --out checkpoint.txt"),
        "key": ("app.cli.audit.audit_log:audit_key", "guidance audit key"),
    },
    ("receipts", None): {
        "verify": ("app.cli.audit.receipts:receipts_verify", "guidance receipts verify receipt.json --jwks jwks.json"),
    },
}


app = Commands(name=PROGRAM, no_args_is_help=True, pretty_exceptions_enable=False)
groups = {PROGRAM: app}
for name, (heading, words) in GROUPS.items():
    is_short = name == "export"
    kind = ExportGroup if is_short else CommandGroup
    groups[name] = Commands(name=name, cls=kind, help=words, no_args_is_help=not is_short)
    app.add_typer(groups[name], rich_help_panel=heading)
extensions = switched_on(None if NAMED is None else NAMED.replace(",", " ").split())
declared = [
    (package, *where, places)
    for package, commands in (*((f"{each.package}.", each.commands) for each in extensions), ("", COMMANDS))
    for where, places in commands.items()
]
for package, group, panel, places in sorted(declared, key=lambda each: each[:2] != ("", PROGRAM)):  # the help's order
    groups[group].declare(places, panel, package)


def print_version(is_given: bool) -> None:
    if is_given:
        commit = built_commit()
        typer.echo(f"guidance {VERSION}" + (f" ({commit})" if commit else ""))
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and commit, and exit."),
]


@app.callback()
def describe(_version: VersionOption = False) -> None:
    """Serve a council's safeguarding guides as versioned data, and receive concerns in confidence."""
