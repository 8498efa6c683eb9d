"""Tools for operators: the doctor with its page of the desk, the first day, and copying to another database."""

from app.extensions import Extension

EXTENSION = Extension(
    __name__,
    parts=("routers",),
    commands={
        ("guidance", "Operate the service"): {
            "setup": ("commands.setup:setup", "guidance setup --lead 'Robin Example'"),
            "doctor": ("commands.doctor:doctor", "guidance doctor --env-file guidance.env"),
            "copy": (
                "commands.copying:copy",
                "guidance copy --to postgresql+psycopg://guidance@db.council.example/guidance",
            ),
        },
    },
    oversight={"/desk/checks": ("Checks", "can_lead")},
)
