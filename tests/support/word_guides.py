"""An invented council's guide as Word and as text, with 40 sentences, a version line and a table of contacts."""

import io

from docx import Document

TITLE = "Fabricated illness in one minute"
GUIDE = "fabricated-illness-one-minute"
FRONT = "Version 4 | September 2026 | Review date: 30 September 2027 | Owner: Health Safeguarding Team"
MEANING = (
    "Fabricated illness is when a parent or carer exaggerates or causes symptoms of illness in a child.",
    "It is rare, and it can do lasting harm.",
    "It can happen in any family and at any age of the child.",
    "Most parents who worry about a child’s health do not fabricate anything.",
)
SIGNS = (
    *("Symptoms that nobody but the parent has seen", "Test results that do not fit the reported symptoms"),
    *("Treatment that never works as expected", "New symptoms as soon as old ones are explained"),
    *("Many appointments with different doctors", "A parent who asks for invasive tests"),
    *("A parent who is unusually calm about bad news", "A parent who never leaves the child alone with staff"),
    *("A history that changes with each telling", "School absence that doctors did not advise"),
    *("Use of a wheelchair that nobody prescribed", "A special diet without a diagnosis"),
    *("Feeding problems that stop in hospital", "Medicine that is given without a prescription"),
    *("Reports of fits that nobody has seen", "A child who repeats a parent’s words about illness"),
    *("Benefits or help that depend on the illness", "Changes of doctor after questions were asked"),
    *("Letters from other hospitals that cannot be found", "Brothers or sisters with illnesses nobody can explain"),
)
CAUTIONS = ("These signs do not prove harm.", "This list is not exhaustive.")
FACTORS = (
    *("A parent’s own long illness", "A parent who works in health care"),
    *("Isolation from family and friends", "Stress at home", "A very sick brother or sister"),
    *("A child with a disability or a long illness", "Support that would end if the child were well"),
)
DUTIES = (
    "Listen: give the child time alone with you.",
    "Record: write down who reported each symptom, and who saw it.",
    "Do not confront: never tell the parent that you suspect fabrication.",
    "Share: talk to your safeguarding lead on the same day.",
    "Refer: call the team below if the lead is away.",
    "Keep notes: store them where the parent cannot read them.",
    "In danger: call 999 first if the child cannot wait.",
)
CONTACTS = (
    ("Example Duty Team", "01632 960021 (option 1)", "Monday to Friday, 8:30am to 5pm"),
    ("Example Night Team", "01632 960022", "Nights and weekends"),
    ("Example Designated Doctor", "01632 960023", "Office hours"),
)
COLUMNS = ("Team", "Telephone", "When")
READING = "Perplexing Presentations, Example College of Doctors, 2021"
SECTIONS = (
    ("What is fabricated illness?", MEANING, "Normal"),
    ("Signs to look for", (*SIGNS, *CAUTIONS), "List Bullet"),
    ("What makes a child more vulnerable", FACTORS, "List Bullet"),
    ("What to do", DUTIES, "List Number"),
)
SENTENCES = (*MEANING, *SIGNS, *CAUTIONS, *FACTORS, *(each.partition(": ")[2] for each in DUTIES))


def as_word() -> bytes:
    """Return the guide as a Word document."""
    document, made = Document(), io.BytesIO()
    document.add_heading(TITLE, level=0)
    document.add_paragraph(FRONT)
    for heading, sentences, style in SECTIONS:
        document.add_heading(heading, level=1)
        for each in sentences:
            document.add_paragraph(each, style="Normal" if each in CAUTIONS else style)
    document.add_heading("Who to contact", level=1)
    table = document.add_table(rows=0, cols=3)
    for row in (COLUMNS, *CONTACTS):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.add_heading("Further reading", level=1)
    document.add_paragraph(READING)
    document.save(made)
    return made.getvalue()


def as_text() -> str:
    """Return the guide as text that was copied from a document."""
    lines = [TITLE, FRONT]
    for heading, sentences, style in SECTIONS:
        bullet = "" if style == "Normal" else "•\t"
        lines += ["", heading, *(each if each in CAUTIONS else bullet + each for each in sentences)]
    return "\n".join([*lines, "", "Who to contact", *map("\t".join, CONTACTS), "", "Further reading", READING])
