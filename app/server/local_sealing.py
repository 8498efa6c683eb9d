"""Notes and questions at the desk on a worker's own machine: sealed here, and only then sent.

The service is not trusted with the words, so it does not choose who reads notes either: it names its keys in the form,
and each must be the public half of an identity of this machine, or one that was given to this program. The key of a
question is that of the reporter's code, which the service alone knows.
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from threading import Lock
from urllib.parse import parse_qsl, urlencode

from app.age.keys import NotAKey
from app.errors import KeysNotKnown, NoMessageKey
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.typed_words import MACROS, NOTE_STEP, TypedWords
from app.pages.form.form_data import URLENCODED
from app.services.concerns.sealing import seal_message, seal_note

WORDS_FIELD = "text"
"""The field of a form that has words. It goes nowhere in clear."""
REMEMBERED = 50


class LocalSealing:
    """Seals the words of forms. A form that is sent twice has the same file, so that the service takes it once."""

    def __init__(self, known: Iterable[str], clock: Callable[[], dt.datetime]) -> None:
        """`known` are the keys that notes may be sealed to."""
        self._known = frozenset(known)
        self._clock = clock
        self._lock = Lock()
        self._seal_once = lru_cache(REMEMBERED)(self._seal)

    def seal(self, words: TypedWords) -> bytes:
        """Return the form as it goes to the service.

        Raises `ValidationFailed` for words that are none or too many, and `KeysNotKnown` or `NoMessageKey`.
        """
        words.check()
        with self._lock:
            sealed = self._seal_once(replace(words, seen=""))
        fields = {"seen": words.seen, "key": words.key, "sealed": base64.b64encode(sealed).decode()}
        of_note = {"recipients": words.recipients} if words.act == NOTE_STEP else {}
        return urlencode(fields | of_note).encode()

    def _seal(self, words: TypedWords) -> bytes:
        if words.act == NOTE_STEP:
            recipients = words.recipients.split()
            if not recipients or not self._known.issuperset(recipients):
                raise KeysNotKnown
            return seal_note(words.text, words.reference, recipients)
        try:
            return seal_message(words.text, words.reference, words.recipient, at=self._clock())
        except NotAKey:
            raise NoMessageKey from None


def find_words(method: str, path: str, reference: str | None, body: bytes) -> TypedWords | None:
    """Return the words of a form for a note or a question; None if the request is another one."""
    act = path.rpartition("/")[2]
    if method != "POST" or reference is None or act not in MACROS or not path.startswith(f"{CONCERN_PAGES}/"):
        return None
    fields = dict(_fields_of(body))
    given = {name: fields.get(name, "") for name in ("seen", "key", "recipients", "recipient")}
    return TypedWords(act, reference, fields.get(WORDS_FIELD, "").replace("\r\n", "\n").strip(), **given)


def sends_words(query: str, body: bytes, media_type: str) -> bool:
    """Return whether a request that is none of these forms would send words in clear, or what cannot be looked at."""
    is_form = not body or media_type.partition(";")[0].strip().lower() == URLENCODED
    return not is_form or any(name == WORDS_FIELD for name, _ in (*_fields_of(query.encode()), *_fields_of(body)))


def _fields_of(form: bytes) -> list[tuple[str, str]]:
    return parse_qsl(form.decode(errors="replace"), keep_blank_values=True)
