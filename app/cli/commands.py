"""Every command of `guidance` with the function that it runs, under the headings of the help (by role).

The modules of the commands are not imported here: a command need not wait for the imports of all other commands.
"""

from typing import Annotated

import typer

from app.build import VERSION, built_commit
from app.cli.export_group import SITE, ExportGroup
from app.cli.lazy_commands import PROGRAM, Commands

OPERATE, WRITE, DUTY = "Operate the service", "Write and publish guides", "The duty team's desk"
ACCESS, OTHERS = "Keys and access", "Other systems and auditors"
READ, ACT, OVERSEE, PEOPLE = "Read and find", "Act on a concern", "Oversight", "People"

app = Commands(name=PROGRAM, no_args_is_help=True, pretty_exceptions_enable=False)
app.declare(
    {
        "setup": "app.cli.operations.setup:setup",
        "serve": "app.cli.operations.serve:serve",
        "doctor": "app.cli.operations.doctor:doctor",
        "health": "app.cli.operations.health:health",
        "backup": "app.cli.operations.backups:backup",
        "restore": "app.cli.operations.backups:restore",
        "verify": "app.cli.operations.verify:verify",
        "migrate": "app.cli.operations.verify:migrate",
        "copy": "app.cli.operations.copying:copy",
        "deliver": "app.cli.events.deliver:deliver",
    },
    OPERATE,
)
app.declare(
    {
        "new": "app.cli.guides.guides:new",
        "import": "app.cli.guides.guides:import_document",
        "check": "app.cli.guides.guides:check",
        "preview": "app.cli.guides.preview:preview",
        "approve": "app.cli.guides.guides:approve",
        "publish": "app.cli.guides.guides:publish_files",
        "withdraw": "app.cli.guides.guides:withdraw_number",
        "due": "app.cli.guides.due:due",
    },
    WRITE,
)

rendition = Commands(
    name="rendition",
    help="Check, approve, publish and withdraw renditions: guides in other languages and formats.",
    no_args_is_help=True,
)
rendition.declare(
    {
        "check": "app.cli.guides.guides:check_renditions",
        "approve": "app.cli.guides.guides:approve_rendition",
        "publish": "app.cli.guides.guides:publish_renditions",
        "withdraw": "app.cli.guides.guides:withdraw_published_rendition",
    }
)
app.add_typer(rendition, rich_help_panel=WRITE)

exports = Commands(
    name="export", cls=ExportGroup, help="Write every public response into a folder, or verify the export of a concern."
)
exports.declare({SITE: "app.cli.guides.export:export_site", "verify": "app.cli.desk.export_verify:export_verify"})
app.add_typer(exports, rich_help_panel=WRITE)

desk = Commands(
    name="desk",
    help="For the duty team: list, open, assign, close, reopen and erase concerns.",
    no_args_is_help=True,
)
desk.declare(
    {
        "list": "app.cli.desk.desk:desk_list",
        "find": "app.cli.desk.find:desk_find",
        "open": "app.cli.desk.desk:desk_open",
        "summary": "app.cli.desk.desk:desk_summary",
        "save-view": "app.cli.desk.desk:desk_save_view",
        "export": "app.cli.desk.export:desk_export",
    },
    READ,
)
desk.declare(
    {
        "acknowledge": "app.cli.desk.desk:desk_acknowledge",
        "acknowledge-burst": "app.cli.desk.desk:desk_acknowledge_burst",
        "assign": "app.cli.desk.desk:desk_assign",
        "note": "app.cli.desk.desk:desk_note",
        "label": "app.cli.desk.desk:desk_label",
        "ask": "app.cli.desk.desk:desk_ask",
        "close": "app.cli.desk.desk:desk_close",
        "reopen": "app.cli.desk.desk:desk_reopen",
        "hold": "app.cli.desk.desk:desk_hold",
        "release": "app.cli.desk.desk:desk_release",
        "look-again": "app.cli.desk.desk:desk_look_again",
        "restrict": "app.cli.desk.desk:desk_restrict",
        "erase": "app.cli.desk.desk:desk_erase",
        "hand-over": "app.cli.desk.hand_over:desk_hand_over",
        "confirm": "app.cli.desk.hand_over:desk_confirm",
        "write-down": "app.cli.desk.write_down:desk_write_down",
    },
    ACT,
)
desk.declare({"statistics": "app.cli.desk.desk:desk_statistics", "purge": "app.cli.desk.purge:desk_purge"}, OVERSEE)
desk.declare(
    {
        "invite": "app.cli.access.people:desk_invite",
        "leave": "app.cli.access.people:desk_leave",
        "people": "app.cli.access.people:desk_people",
    },
    PEOPLE,
)
app.add_typer(desk, rich_help_panel=DUTY)

keys = Commands(
    name="keys", help="Keys that encrypt concerns and webhook secrets, and that sign access rows.", no_args_is_help=True
)
keys.declare(
    {
        "new": "app.cli.concerns.keys:keys_new",
        "list": "app.cli.concerns.keys:keys_list",
        "reseal": "app.cli.concerns.keys:keys_reseal",
        "rotate-webhooks": "app.cli.concerns.keys:keys_rotate_webhooks",
        "rotate-access": "app.cli.concerns.keys:keys_rotate_access",
    }
)
app.add_typer(keys, rich_help_panel=ACCESS)

clients = Commands(
    name="clients", help="Clients: systems that can use the API, and their scopes.", no_args_is_help=True
)
clients.declare(
    {
        "add": "app.cli.access.clients:clients_add",
        "list": "app.cli.access.clients:clients_list",
        "rotate": "app.cli.access.clients:clients_rotate",
        "revoke": "app.cli.access.clients:clients_revoke",
    }
)
app.add_typer(clients, rich_help_panel=ACCESS)

webhooks = Commands(name="webhooks", help="Webhooks: push events to other systems.", no_args_is_help=True)
webhooks.declare(
    {
        "add": "app.cli.events.webhooks:webhooks_add",
        "list": "app.cli.events.webhooks:webhooks_list",
        "remove": "app.cli.events.webhooks:webhooks_remove",
        "rotate": "app.cli.events.webhooks:webhooks_rotate",
        "replay": "app.cli.events.webhooks:webhooks_replay",
        "retry": "app.cli.events.webhooks:webhooks_retry",
        "test": "app.cli.events.webhooks:webhooks_test",
    }
)
app.add_typer(webhooks, rich_help_panel=OTHERS)

audit = Commands(name="audit", help="Checkpoints of the audit log, for independent auditors.", no_args_is_help=True)
audit.declare({"checkpoint": "app.cli.audit.audit_log:audit_checkpoint", "key": "app.cli.audit.audit_log:audit_key"})
app.add_typer(audit, rich_help_panel=OTHERS)

receipts = Commands(name="receipts", help="Signed receipts.", no_args_is_help=True)
receipts.declare({"verify": "app.cli.audit.receipts:receipts_verify"})
app.add_typer(receipts, rich_help_panel=OTHERS)


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
