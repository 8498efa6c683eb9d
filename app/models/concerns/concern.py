"""The models of a concern as it is sent, which also define the form."""

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.errors import CodedValueError, FaultCode
from app.models.base import MAX_NUMBER, Slug, canonical_json
from app.models.concerns.fields import (
    Account,
    Address,
    Brief,
    CouncilCode,
    Day,
    DisabilityCode,
    EthnicityCode,
    Identifier,
    LawfulBasisCode,
    Line,
    Note,
    PartialDate,
    ReasonNotInformedCode,
    ReferralSourceCode,
    ReporterInput,
    SexCode,
    YesNo,
    optional_field,
    optional_list,
)

MAX_NARRATIVE = 50_000
RELEASED_FORM = Path(__file__).with_name("released_form.json")
"""Version and digest of the form of the last release, which `make release` writes."""
NO_QUESTION = "test"
"""The field of `Concern` that is not in the form: developers send it."""


class Child(ReporterInput):
    """A person under 18 or not yet born, as far as anything is known: no answer here is required.

    The coded questions are those of the Department for Education’s children in need census. No date of birth is
    refused, even one that makes the person older than 17: the duty team judges that.
    """

    given_names: Line | None = optional_field(
        "First names", "First and middle names as far as you know. If you have only one name, put it here.", "Alex"
    )
    family_name: Line | None = optional_field("Family name", "The child’s family name, if you know it.", "Example")
    home_council: CouncilCode | None = optional_field(
        "Where does the child live?",
        "A code from the list `council`. Where it is another council, this one passes the concern on.",
        "E06000022",
    )
    other_names: tuple[Line, ...] = optional_list(
        "Other names",
        "Any other names the child uses or has used: nicknames, former names, names used online.",
        ["Lex"],
        max_length=5,
    )
    date_of_birth: Day | None = optional_field(
        "Date of birth",
        "The full date, if you know it. If you do not, give an estimated age or leave both empty.",
        "2012-03-04",
    )
    estimated_age: Annotated[int, Field(strict=True, ge=0, le=17)] | None = optional_field(
        "Estimated age", "Your best estimate in whole years, from 0 to 17, if you do not know the date of birth.", 14
    )
    age_described: Line | None = optional_field(
        "Age in your own words", "Anything else that you know about the child’s age.", "In Year 9 at school"
    )
    unborn: YesNo | None = optional_field(
        "Is this a child not yet born?", "Answer yes if your concern is about a child who has not been born yet.", "no"
    )
    expected_date_of_birth: Day | None = optional_field(
        "Expected date of birth",
        "For a child not yet born: the full date on which the birth is expected, if you know it.",
        "2027-02-01",
    )
    sex: SexCode | None = optional_field("Sex", "The code from the list `sex`. Leave it out if you do not know.", "F")
    ethnicity: EthnicityCode | None = optional_field(
        "Ethnicity", "The code from the list `ethnicity`. Leave it out if you do not know.", "MOTH"
    )
    ethnicity_described: Line | None = optional_field(
        "Ethnicity in your own words",
        "How the child or family describes it, if you know.",
        "The family describes itself as of mixed background",
    )
    disabilities: tuple[DisabilityCode, ...] = optional_list(
        "Disabilities",
        "Codes from the list `disability`: as many as apply. An empty list means not answered.",
        ["HEAR"],
        max_length=15,
    )
    disability_described: Note | None = optional_field(
        "Disability in your own words",
        "Any disability, illness or special need, and what it means for the child from day to day.",
        "Wears a hearing aid",
    )
    first_language: Brief | None = optional_field(
        "First language", "The language that the child knows best.", "British Sign Language"
    )
    interpreter_needed: YesNo | None = optional_field(
        "Is an interpreter needed?", "Whether the child needs an interpreter, sign language included.", "yes"
    )
    communication_needs: Note | None = optional_field(
        "Communication needs",
        "Anything that helps a worker talk with the child.",
        "Prefers to write things down",
    )
    identifiers: tuple[Identifier, ...] = optional_list(
        "Numbers that the child is known by",
        "Numbers from health, school or social care records, where you have them.",
        [{"scheme": "nhs-number", "value": "999 000 0000"}],
        max_length=5,
    )
    home_address: Address | None = optional_field(
        "Home address",
        "Where the child usually lives.",
        {"text": "1 Example Street, Exampleton", "postcode": "XX1 1XX"},
    )
    where_now: Line | None = optional_field(
        "Where is the child now?",
        "Where the child is at this moment, and with whom, if you know.",
        "At school until 3.15 this afternoon",
    )
    school_or_setting: Line | None = optional_field(
        "School or setting", "The school, college, nursery or other place the child goes to.", "Example Academy"
    )
    attendance: Line | None = optional_field(
        "Attendance",
        "How often the child goes there, and any change you have noticed.",
        "Away on most Fridays since September",
    )
    gp: Line | None = optional_field("GP", "The child’s doctor or surgery.", "Dr Example, Example Surgery")
    health_visitor: Line | None = optional_field(
        "Health visitor", "The health visitor’s name and how to reach them.", "Pat Example, 01632 960010"
    )
    school_nurse: Line | None = optional_field(
        "School nurse", "The school nurse’s name and how to reach them.", "Kit Example, 01632 960011"
    )
    looked_after: YesNo | None = optional_field(
        "Is the child looked after by a council?", "Whether the child is in the care of a council.", "not_known"
    )
    child_protection_plan: YesNo | None = optional_field(
        "Is there a child protection plan?", "Whether the child is on a child protection plan now.", "not_known"
    )
    education_health_and_care_plan: YesNo | None = optional_field(
        "Is there an education, health and care plan?",
        "Whether the child has an education, health and care plan (EHCP).",
        "yes",
    )
    allocated_social_worker: Line | None = optional_field(
        "Social worker",
        "The child’s social worker, if there is one: name, team and how to reach them.",
        "Jo Example, Example Council, 01632 960012",
    )
    account: Note | None = optional_field(
        "What worries you about this child?",
        "What you know of this child alone, if the concern is about several children.",
        "Alex has been away from school since Monday",
    )


class Observation(ReporterInput):
    """An item of the concern's edition, with what was seen.

    Items are never counted, weighed or ranked: concerns with none and with many are handled in the same way, and an
    item not listed does not count as absent. (Franklin, Brown and Brady, 2018, for the Centre of expertise on child
    sexual abuse, found no checklist that had been validated for such use.)
    """

    id: Slug = Field(
        title="Item",
        description="`id` of the item in the edition of the concern.",
        examples=["missing-or-unexplained-absence"],
    )
    note: Note | None = optional_field(
        "What was seen", "What you saw or were told about this, in your own words.", "Did not come home on two nights"
    )
    first_seen: PartialDate | None = optional_field(
        "First seen",
        "When it was first seen: a date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        "2026-09",
    )
    last_seen: PartialDate | None = optional_field(
        "Last seen",
        "When it was last seen: a date, a month or a year, such as 2026-11-24, 2026-11 or 2026.",
        "2026-11-20",
    )


def _check_ids_differ(items: tuple[Observation, ...]) -> tuple[Observation, ...]:
    ids = [item.id for item in items]
    if len(set(ids)) != len(ids):
        raise CodedValueError(FaultCode.DUPLICATE_ID, "this `id` occurs twice: combine the entries")
    return items


UniqueObservations = Annotated[tuple[Observation, ...], AfterValidator(_check_ids_differ)]


class MissingEpisode(ReporterInput):
    """A time when the child was missing, or away without explanation."""

    started: PartialDate | None = optional_field(
        "When it began", "A date, a month or a year, such as 2026-11-24, 2026-11 or 2026.", "2026-11-13"
    )
    ended: PartialDate | None = optional_field(
        "When it ended",
        "A date, a month or a year. Leave it out if the child has not returned or you do not know.",
        "2026-11-14",
    )
    reported_to_police: YesNo | None = optional_field(
        "Was it reported to the police?", "Whether anyone told the police.", "not_known"
    )
    described: Note | None = optional_field(
        "What is known about it",
        "Which child, for how long, where the child was found, and what the child said about it.",
        "Alex came to school tired the next day and did not say where the night was spent",
    )


class PersonOfConcern(ReporterInput):
    """Someone who may be a risk to a child. A partial description helps."""

    name: Line | None = optional_field("Name", "As far as you know it.", "‘Max’")
    other_names: tuple[Line, ...] = optional_list(
        "Other names", "Nicknames, and names used online.", ["example_user_1"], max_length=5
    )
    age_described: Line | None = optional_field(
        "Age in your own words", "The person’s age, or your estimate of it.", "Looks about 25"
    )
    relationship_to_child: Line | None = optional_field(
        "Connection with the child", "How the person knows the child, as far as you know.", "Alex calls him a friend"
    )
    works_with_children: YesNo | None = optional_field(
        "Does this person work or volunteer with children?",
        "For example in a school, a club or a care home.",
        "not_known",
    )
    address: Address | None = optional_field(
        "Address", "Where the person lives or stays, if you know.", {"text": "Somewhere near Example Park"}
    )
    phones_and_accounts: Line | None = optional_field(
        "Telephone numbers and online accounts",
        "Any number or account the person uses.",
        "07700 900003",
    )
    described: Note | None = optional_field(
        "Description",
        "What the person looks like, does and has said, and what worries you.",
        "Tall; waits outside the school gate",
    )


class VehicleOfConcern(ReporterInput):
    """A vehicle that may matter. Even part of the registration helps."""

    registration: Brief | None = optional_field(
        "Registration", "The registration number, or the part you remember.", "ends EXA"
    )
    described: Note | None = optional_field(
        "Description",
        "Make, colour, damage, who was in it, where and when it was seen.",
        "Small grey car, outside school on 20 November",
    )


class PlaceOfConcern(ReporterInput):
    """A place that may matter: where a child is taken, meets someone or has been found."""

    name: Line | None = optional_field("Name", "Name of the place.", "Example Park")
    address: Address | None = optional_field(
        "Address", "Its address, as far as you know.", {"text": "By the north gate, Exampleton"}
    )
    described: Note | None = optional_field(
        "Description", "What happens there, when, and who is there.", "Alex is collected from here on Friday evenings"
    )


class ThingKind(StrEnum):
    """Kind of thing."""

    MESSAGE = "message"
    PICTURE = "picture"
    VIDEO = "video"
    RECORDING = "recording"
    NUMBER_PLATE = "number_plate"
    BANK_RECORD = "bank_record"
    GIFT = "gift"
    DOCUMENT = "document"
    OTHER = "other"


class ThingThatExists(ReporterInput):
    """Something that shows what happened. It is described, and never sent here."""

    kind: ThingKind | None = optional_field("What is it?", "What kind of thing it is.", "message")
    place: Line | None = optional_field(
        "Which device or app is it on?",
        "The phone, computer, app or account.",
        "A chat app on Alex’s telephone",
    )
    held_by: Line | None = optional_field("Who has it?", "The person who has it, as far as you know.", "Alex")
    police_may_fetch: YesNo | None = optional_field(
        "May the police fetch it?", "Whether the person who has it agrees.", "not_known"
    )
    described: Note | None = optional_field(
        "What does it show?",
        "In words. Please do not copy or send any images.",
        "Messages at night",
    )


def _check_not_blank(narrative: str) -> str:
    if not narrative.strip():
        raise CodedValueError(FaultCode.BLANK, "say in a few words what worries you; spaces alone tell nothing")
    return narrative


Narrative = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NARRATIVE), AfterValidator(_check_not_blank)]


class HowKnown(StrEnum):
    """How the reporter came to know. All answers count equally."""

    FIRST_HAND = "first_hand"
    TOLD_BY_CHILD = "told_by_child"
    TOLD_BY_SOMEONE_ELSE = "told_by_someone_else"
    OTHER = "other"
    NOT_KNOWN = "not_known"


class OnlineElement(ReporterInput):
    """What happened online, by phone or in messages."""

    involved: YesNo | None = optional_field(
        "Did any of it happen online?", "Whether the internet, an app, a game or messages played a part.", "yes"
    )
    apps_and_accounts: Note | None = optional_field(
        "Apps and accounts",
        "Which apps, games or sites, and which accounts, as far as you know.",
        "An account called example_user_1 on a chat app",
    )
    described: Note | None = optional_field(
        "What happened online",
        "What you know about it. Please do not copy or send any images.",
        "Messages late at night that upset Alex",
    )


class ConcernDetail(ReporterInput):
    """What the reporter saw, heard or was told. Only `narrative` is required, in any words and of any length to 50,000.

    Facts come first and opinion is welcome when it says that it is opinion. No answer here is turned into a score.
    """

    narrative: Narrative = Field(
        title="What are you worried about?",
        description="What happened, when and where, and who saw it. A sentence is enough to begin with.",
        examples=["Alex has been collected from school three times by an adult whom the family does not know."],
        json_schema_extra={"pattern": r"\S"},
    )
    how_known: tuple[HowKnown, ...] = optional_list(
        "How do you know?",
        "Seen or heard by you, told to you by the child, or by someone else: as many as apply.",
        ["first_hand", "told_by_child"],
        max_length=10,
    )
    how_known_described: Note | None = optional_field(
        "How you know, in your own words",
        "Who told you, when, and in what words.",
        "Alex’s friend told me on 19 November",
    )
    source_wishes_to_stay_anonymous: YesNo | None = optional_field(
        "Does the person who told you wish to stay anonymous?",
        "If someone other than the child told you: whether they ask not to be named.",
        "yes",
    )
    latest_event: PartialDate | None = optional_field(
        "Date of the latest event", "A date, a month or a year, such as 2026-11-24, 2026-11 or 2026.", "2026-11-20"
    )
    latest_event_described: Line | None = optional_field(
        "When the latest event was, in your own words",
        "For what the date does not say.",
        "Last Friday, just after school",
    )
    indicators: UniqueObservations = optional_list(
        "Indicators seen",
        "Indicators of the guide that you have seen. There is no need to find any.",
        [{"id": "missing-or-unexplained-absence", "note": "Away on two nights"}],
        max_length=50,
    )
    factors: UniqueObservations = optional_list(
        "Vulnerability factors known",
        "Experiences named by the guide that you know this child has had. They are not indicators.",
        [{"id": "prior-neglect-or-abuse"}],
        max_length=30,
    )
    linked_risks: UniqueObservations = optional_list(
        "Linked risks seen",
        "Other harms named by the guide that you think may be linked.",
        [{"id": "child-trafficking", "note": "Taken to another town"}],
        max_length=30,
    )
    online: OnlineElement | None = optional_field(
        "Online", "Anything that happened online, by phone or in messages.", {"involved": "not_known"}
    )
    missing_now: YesNo | None = optional_field(
        "Is a child missing now?",
        "If a child is missing now, call the police as well: 999 if the child may be in danger.",
        "no",
    )
    missing_episodes: tuple[MissingEpisode, ...] = optional_list(
        "Times when a child was missing",
        "Each time you know about. An empty list means not answered.",
        [{"started": "2026-11-13", "ended": "2026-11-14"}],
        max_length=20,
    )
    people_of_concern: tuple[PersonOfConcern, ...] = optional_list(
        "People who worry you",
        "Anyone who may be a risk to a child. Tell us even if you know very little about them.",
        [{"name": "‘Max’", "age_described": "Looks about 25"}],
        max_length=15,
    )
    vehicles_of_concern: tuple[VehicleOfConcern, ...] = optional_list(
        "Vehicles of concern",
        "Any vehicle that may matter.",
        [{"registration": "ends EXA"}],
        max_length=10,
    )
    places_of_concern: tuple[PlaceOfConcern, ...] = optional_list(
        "Places of concern", "Any place that may matter.", [{"name": "Example Park"}], max_length=10
    )
    things_that_exist: tuple[ThingThatExists, ...] = optional_list(
        "Things that exist",
        "Messages, pictures, records: what and where they are. Nothing is ever sent with a concern.",
        [{"kind": "message", "held_by": "Alex"}],
        max_length=8,
    )
    about_council_staff: YesNo | None = optional_field(
        "Is it about someone who works for this council?",
        "If yes, only leads can open it at first.",
        "no",
    )
    going_well: Account | None = optional_field(
        "What is going well?",
        "People who help, things the child enjoys, anything that keeps the child safe.",
        "Alex trusts an aunt and enjoys football practice",
    )
    hoped_for: Account | None = optional_field(
        "What do you hope will happen?",
        "What you would like to change for the child.",
        "That somebody talks with Alex soon",
    )

    @property
    def is_about_staff(self) -> bool:
        return self.about_council_staff is YesNo.YES

    @property
    def names_a_worker(self) -> bool:
        return any(each.works_with_children is YesNo.YES for each in self.people_of_concern)

    @property
    def is_allegation(self) -> bool:
        """True if the designated officer (LADO) is to be told."""
        return self.is_about_staff or self.names_a_worker


class ParentOrCarer(ReporterInput):
    """A parent of a child in the concern, or someone who cares for a child."""

    name: Line | None = optional_field("Name", "As far as you know it.", "Sam Example")
    date_of_birth: Day | None = optional_field("Date of birth", "The full date, if you know it.", "1984-05-06")
    age_described: Line | None = optional_field(
        "Age in your own words",
        "What you know about their age, if you do not know the date of birth.",
        "In their forties",
    )
    relationship_to_child: Line | None = optional_field(
        "Relationship to the child",
        "How they are related; if there are several children, to which of them.",
        "Mother of Alex",
    )
    parental_responsibility: YesNo | None = optional_field(
        "Do they have parental responsibility?", "Whether they have parental responsibility in law.", "yes"
    )
    primary_carer: YesNo | None = optional_field(
        "Are they the main carer?", "Whether they look after the child most of the time.", "yes"
    )
    address: Address | None = optional_field(
        "Address", "Where they live, if you know.", {"text": "1 Example Street, Exampleton"}
    )
    phone: Line | None = optional_field("Telephone number", "In any form.", "07700 900001")
    communication_needs: Note | None = optional_field(
        "Communication needs",
        "Language, interpreter, or anything else that helps a worker talk with them.",
        "Speaks Polish; an interpreter helps",
    )


class ConnectionToChild(StrEnum):
    """How another person is connected to the child or the household."""

    SIBLING = "sibling"
    HOUSEHOLD_MEMBER = "household_member"
    REGULAR_VISITOR = "regular_visitor"
    ABSENT_PARENT = "absent_parent"
    OTHER = "other"
    NOT_KNOWN = "not_known"


class OtherPerson(ReporterInput):
    """Someone else in or around the household: a brother or sister, a regular visitor, an absent parent."""

    name: Line | None = optional_field("Name", "As far as you know it.", "Charlie Example")
    connection: ConnectionToChild | None = optional_field(
        "Connection", "How they are connected with the child or the household.", "sibling"
    )
    relationship_to_child: Line | None = optional_field(
        "Relationship in your own words",
        "How they are related; if there are several children, to which of them.",
        "Older brother of Alex",
    )
    lives_with_child: YesNo | None = optional_field(
        "Do they live with the child?", "Whether they live in the same household.", "no"
    )
    date_of_birth: Day | None = optional_field("Date of birth", "The full date, if you know it.", "2006-07-08")
    age_described: Line | None = optional_field(
        "Age in your own words", "What you know about their age, if you do not know the date of birth.", "About 20"
    )
    address: Address | None = optional_field(
        "Address", "Where they live, if you know.", {"text": "2 Example Street, Exampleton"}
    )
    phone: Line | None = optional_field("Telephone number", "In any form.", "07700 900002")
    notes: Note | None = optional_field(
        "Anything else",
        "Anything else about them that matters to the child.",
        "Visits every Sunday; Alex speaks well of him",
    )


class ReporterKind(StrEnum):
    """Who raises the concern. All concerns are handled in the same way."""

    PROFESSIONAL = "professional"
    MEMBER_OF_PUBLIC = "member_of_public"
    FAMILY = "family"
    CHILD = "child"
    FRIEND = "friend"
    ANONYMOUS = "anonymous"


class DutyToReport(ReporterInput):
    """A statement by a professional who reports because the law says so. It is never a condition of sending."""

    made_under_duty: YesNo | None = optional_field(
        "Does the law say that you must report this?",
        "Whether the report is made under a legal duty to report. The signed receipt of a professional repeats it.",
        "yes",
    )
    reason_for_delay: Note | None = optional_field(
        "If you waited before you reported it, why?",
        "Why the report was not made as soon as possible, where that is so.",
        "Reporting on the day would have put Alex at risk at home",
    )


class Reporter(ReporterInput):
    """The person who raises the concern. Only `kind` is required: nobody has to give a name.

    `source_code` is the referral source of the Department for Education’s children in need census.
    """

    kind: ReporterKind = Field(
        title="Who are you?",
        description="Whether you work with children, are a member of the public, family, the child, a friend of the "
        "child who is under 18 too, or stay anonymous.",
        examples=["professional"],
    )
    source_code: ReferralSourceCode | None = optional_field(
        "Referral source",
        "Code from the list `referral-source`, if your system has it. People do not need to look this up.",
        "2A",
    )
    name: Line | None = optional_field("Your name", "Your name, or the name to ask for.", "Robin Example")
    role: Line | None = optional_field("Your role", "Your job or role, if any.", "Form tutor")
    organisation: Line | None = optional_field(
        "Your organisation", "Where you work or volunteer, if that is how you know the child.", "Example Academy"
    )
    phone: Line | None = optional_field("Your telephone number", "A number we can reach you on.", "01632 960001")
    email: Line | None = optional_field(
        "Your email address", "An email address we can write to.", "robin@academy.example"
    )
    language: Brief | None = optional_field(
        "Your language",
        "The language that you know best, sign language included.",
        "Polish",
    )
    interpreter_needed: YesNo | None = optional_field(
        "Do you need an interpreter?", "Whether you need an interpreter, sign language included.", "yes"
    )
    safe_times_to_contact: Line | None = optional_field(
        "When and how is it safe to contact you?",
        "Times and ways that are safe for you and the child, and any that are not.",
        "Weekdays before 4 pm; please leave no message",
    )
    relationship_to_child: Line | None = optional_field(
        "How do you know the child?", "Your connection with the child or family.", "Alex’s form tutor since September"
    )
    anonymous_to_family: YesNo | None = optional_field(
        "Do you wish to stay anonymous from the family?",
        "Whether you want us not to tell the family who raised the concern.",
        "yes",
    )
    safeguarding_lead_consulted: YesNo | None = optional_field(
        "Have you spoken to your designated safeguarding lead?",
        "Only if your organisation has one. You can raise a concern without doing this.",
        "yes",
    )
    safeguarding_lead_name: Line | None = optional_field(
        "Your designated safeguarding lead",
        "Their name and how to contact them.",
        "Chris Example, 01632 960002",
    )
    duty_to_report: DutyToReport | None = optional_field(
        "Duty to report",
        "For professionals who report because the law says so. Leave it out otherwise.",
        {"made_under_duty": "yes"},
    )


class ParentsInformed(StrEnum):
    """Whether parents or carers know about the concern. `not_safe`: telling them is unsafe."""

    YES = "yes"
    NO = "no"
    NOT_SAFE = "not_safe"
    NOT_KNOWN = "not_known"


class InformedAndBasis(ReporterInput):
    """Who has been told, what the child says, and the basis for sharing. Nothing here is a condition of sharing.

    Nobody needs consent to share information about a child who is or may be at risk (HM Government, Information
    sharing: advice for practitioners providing safeguarding services, 2024). Agreement to a service and the lawful
    basis for sharing are therefore two questions, and neither follows from the other.
    """

    parents_informed: ParentsInformed | None = optional_field(
        "Have the parents or carers been told?",
        "Answer not_safe if telling them could put a child or anyone else at risk.",
        "not_safe",
    )
    reasons_parents_not_told: tuple[ReasonNotInformedCode, ...] = optional_list(
        "Why have they not been told?",
        "Codes from the list `reason-parents-not-told`: as many as apply.",
        ["risk_of_significant_harm"],
        max_length=10,
    )
    parents_informed_described: Note | None = optional_field(
        "What they were told, or why not",
        "In your own words: what they said, or why they have not been told.",
        "We are not sure who else would hear of it at home",
    )
    child_informed: YesNo | None = optional_field(
        "Does the child know that you are raising this?", "Whether you or anyone else has told the child.", "yes"
    )
    childs_own_words: Account | None = optional_field(
        "The child’s own words",
        "What the child said, as nearly as you can in the child’s words.",
        "‘He gets cross if I don’t answer my phone.’",
    )
    childs_wishes: Account | None = optional_field(
        "What does the child want?",
        "What the child has said they want or do not want to happen.",
        "Alex wants it to stop and asks that an aunt is told first",
    )
    agreement_to_service: YesNo | None = optional_field(
        "Has the family agreed to a service?",
        "Whether the child, parents or carers agree to receive help. Your concern does not depend on it.",
        "not_known",
    )
    agreement_described: Line | None = optional_field(
        "Who agreed, and to what",
        "Who gave or refused agreement, when, and to which service.",
        "Nobody has been asked yet",
    )
    lawful_basis: LawfulBasisCode | None = optional_field(
        "Lawful basis for sharing",
        "The code from the list `lawful-basis`. For organisations; leave it out if you are not sure.",
        "public_task",
    )


class Agency(ReporterInput):
    """An organisation that is already involved with a child or the family."""

    name: Line | None = optional_field("Organisation", "The organisation or team.", "Example Youth Club")
    worker: Line | None = optional_field("Worker", "Who to ask for there.", "Ash Example, youth worker")
    phone: Line | None = optional_field("Telephone number", "In any form.", "01632 960003")
    email: Line | None = optional_field("Email address", "In any form.", "ash@youthclub.example")
    knows_of_concern: YesNo | None = optional_field(
        "Do they know of this concern?", "Whether you or anyone else has told them.", "no"
    )
    involvement: Note | None = optional_field(
        "How are they involved?",
        "How they support the child or the family, and since when.",
        "Alex goes there on Tuesdays",
    )


class RiskToWorkers(ReporterInput):
    """Anything a worker should know before a visit or a call."""

    known_risk: YesNo | None = optional_field(
        "Is there a risk to workers?", "Whether you know of any risk to someone who visits or calls.", "not_known"
    )
    described: Note | None = optional_field(
        "What the risk is",
        "People, animals, weapons, illness, or anything else about the place.",
        "A large dog, kept in the yard",
    )
    safe_contact: Note | None = optional_field(
        "How to make contact safely",
        "How, when and through whom to make contact without putting anyone at risk.",
        "Ring the school first; do not ring the home number",
    )


class ImmediateDanger(StrEnum):
    """Whether a child is in immediate danger. Every answer is accepted; call 999 first."""

    YES = "yes"
    NO = "no"
    NOT_SURE = "not_sure"


class AlreadyTelephoned(ReporterInput):
    """A call to the duty team or the police before this was sent.

    Do not wait for the call before you send this, or the other way round.
    """

    telephoned: YesNo | None = optional_field(
        "Have you already telephoned?", "Whether you have phoned the duty team or the police about this.", "yes"
    )
    when: Line | None = optional_field(
        "When did you telephone?", "The day and time, in your own words.", "24 November 2026, about 9.30 in the morning"
    )
    whom: Line | None = optional_field(
        "Whom did you speak to?", "The name, team or number, as far as you know.", "Jo, at the duty team"
    )


class Concern(ReporterInput):
    """A concern about one or more children, in whatever detail the reporter has.

    Four parts are required: `immediate_danger`, `reporter` with its `kind`, one or more `children` (each may be
    empty), and `concern` with its `narrative`. Everything else is optional. An omitted answer means 'not answered',
    never 'no'. Nothing is scored. Consent is not asked for, since a child at risk does not wait for it
    (HM Government information-sharing advice, 2024); a child is a person under 18, or not yet born (Working Together to
    Safeguard Children).
    """

    guide: Slug | None = optional_field(
        "Guide",
        "The guide the concern refers to. If omitted, the guide that has the items named below or, failing that, the "
        "default guide.",
        "child-sexual-exploitation",
    )
    edition: Annotated[int, Field(strict=True, ge=1, le=MAX_NUMBER)] | None = optional_field(
        "Edition", "Number of the edition shown to the reporter. Defaults to the current edition.", 1
    )
    immediate_danger: ImmediateDanger = Field(
        title="Is a child in immediate danger?",
        description="If a child is in immediate danger, call 999 now. You can still send this afterwards.",
        examples=["no"],
    )
    police_informed: YesNo | None = optional_field(
        "Have the police been told?", "Whether you or anyone else has told the police about this.", "not_known"
    )
    police_reference: Line | None = optional_field(
        "Police reference", "The crime or incident number, if the police gave one.", "Log 000 of 24 November 2026"
    )
    already_telephoned: AlreadyTelephoned | None = optional_field(
        "Calls already made",
        "Any call to the duty team or the police before you wrote this.",
        {"telephoned": "yes", "when": "This morning", "whom": "The duty team"},
    )
    reporter: Reporter = Field(
        title="About you",
        description="Who is raising the concern. You do not have to give your name.",
        examples=[{"kind": "member_of_public"}],
    )
    children: tuple[Child, ...] = Field(
        min_length=1,
        max_length=30,
        title="The children",
        description="Every child you are worried about. If you know nothing about a child, send an empty entry.",
        examples=[[{"given_names": "Alex", "estimated_age": 14}], [{}]],
    )
    parents_and_carers: tuple[ParentOrCarer, ...] = optional_list(
        "Parents and carers",
        "Parents, and others who care for the children.",
        [{"name": "Sam Example", "relationship_to_child": "Mother of Alex"}],
        max_length=20,
    )
    others: tuple[OtherPerson, ...] = optional_list(
        "Household and others",
        "Brothers and sisters, regular visitors, absent parents and anyone else around the children.",
        [{"name": "Charlie Example", "connection": "sibling"}],
        max_length=20,
    )
    informed_and_basis: InformedAndBasis | None = optional_field(
        "Who has been told, and the basis for sharing",
        "What the parents and the child know, what the child says, and the basis for sharing.",
        {"parents_informed": "not_known", "child_informed": "yes"},
    )
    concern: ConcernDetail = Field(
        title="The concern",
        description="What you saw, heard or were told.",
        examples=[{"narrative": "Alex has been collected from school by an adult whom the family does not know."}],
    )
    agencies: tuple[Agency, ...] = optional_list(
        "Agencies already involved",
        "Organisations already working with a child or the family.",
        [{"name": "Example Youth Club", "knows_of_concern": "no"}],
        max_length=20,
    )
    risk_to_workers: RiskToWorkers | None = optional_field(
        "Risk to workers", "Anything a worker should know before a visit or a call.", {"known_risk": "not_known"}
    )
    test: Annotated[bool, Field(strict=True)] | None = optional_field(
        "Test",
        "For developers: true for a test, which is not about a real child. Requires a test key; with a test key it "
        "must be true.",
        False,
    )


class SimulatedOutcome(StrEnum):
    """The response requested by a test."""

    ACCEPTED = "accepted"
    BUSY = "busy"
    TOO_MANY = "too_many"
    REFUSED = "refused"


def form_digest(concern: type[Concern]) -> str:
    return hashlib.sha256(canonical_json(concern.model_json_schema())).hexdigest()


def form_version(digest: str) -> int:
    """The version of the last release, or the next one if its form had another digest."""
    released = json.loads(RELEASED_FORM.read_text(encoding="utf-8"))
    version: int = released["version"]
    return version if digest == released["digest"] else version + 1


FORM_DIGEST = form_digest(Concern)
FORM_VERSION = form_version(FORM_DIGEST)
