"""The `guidance desk` commands of the duty team, which work through the API with a client key."""

from app.extensions import Extension

EXTENSION = Extension(
    __name__,
    commands={
        ("desk", "Read and find"): {
            "list": ("desk:desk_list", "guidance desk list --danger yes --unassigned"),
            "find": ("find:desk_find", "guidance desk find --identity identity.txt"),
            "open": ("desk:desk_open", "guidance desk open 4F7K-926W-0X3R --identity identity.txt"),
            "summary": ("desk:desk_summary", "guidance desk summary"),
            "save-view": ("desk:desk_save_view", "guidance desk save-view urgent danger=yes mine=true"),
            "export": (
                "export:desk_export",
                "guidance desk export 4F7K-926W-0X3R --identity identity.txt -o concern.pdf",
            ),
        },
        ("desk", "Act on a concern"): {
            "acknowledge": ("desk:desk_acknowledge", "guidance desk acknowledge 4F7K-926W-0X3R"),
            "acknowledge-burst": (
                "desk:desk_acknowledge_burst",
                "guidance desk acknowledge-burst BURST 4F7K-926W-0X3R",
            ),
            "assign": ("desk:desk_assign", "guidance desk assign 4F7K-926W-0X3R 'Jo Example'"),
            "note": ("desk:desk_note", "guidance desk note 4F7K-926W-0X3R --file note.txt"),
            "label": ("desk:desk_label", "guidance desk label 4F7K-926W-0X3R --file label.txt"),
            "ask": ("desk:desk_ask", "guidance desk ask 4F7K-926W-0X3R --message-file message.txt"),
            "close": ("desk:desk_close", "guidance desk close 4F7K-926W-0X3R 'early help' --shared"),
            "reopen": ("desk:desk_reopen", "guidance desk reopen 4F7K-926W-0X3R --reason 'Closed by mistake.'"),
            "hold": ("desk:desk_hold", "guidance desk hold 4F7K-926W-0X3R --reason 'A review needs it.'"),
            "release": ("desk:desk_release", "guidance desk release 4F7K-926W-0X3R --reason 'The review has ended.'"),
            "look-again": (
                "desk:desk_look_again",
                "guidance desk look-again 4F7K-926W-0X3R --whose officer --no-day",
            ),
            "restrict": (
                "desk:desk_restrict",
                "guidance desk restrict 4F7K-926W-0X3R --reason 'About someone who works here.'",
            ),
            "erase": ("desk:desk_erase", "guidance desk erase 4F7K-926W-0X3R --reason 'Sent by mistake.'"),
            "hand-over": (
                "hand_over:desk_hand_over",
                "guidance desk hand-over 4F7K-926W-0X3R --to age1... --body 'Example Council' "
                "--reason 'The child lives there.' --identity identity.txt --out concern.age",
            ),
            "confirm": ("hand_over:desk_confirm", "guidance desk confirm 4F7K-926W-0X3R 1 their-receipt.txt"),
            "write-down": (
                "write_down:desk_write_down",
                "guidance desk write-down call.txt --danger no --came-at 08:05",
            ),
        },
        ("desk", "Oversight"): {
            "statistics": ("desk:desk_statistics", "guidance desk statistics --out statistics.csv"),
        },
    },
)
