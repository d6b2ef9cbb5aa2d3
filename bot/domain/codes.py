"""A job's short code: its id in Crockford's base 32, which is read out and typed without mistakes.

Douglas Crockford, "Base 32": no I, L, O and U; capitals do not matter, what looks like 1 or 0 is read as that, and
hyphens are passed over.
"""

from bot.domain.errors import RequestError
from bot.domain.text import N_

_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {sign: value for value, sign in enumerate(_SIGNS)} | {"I": 1, "L": 1, "O": 0}
_SHORTEST = 4
_LARGEST = 2**63 - 1
"""What a row's id can be (SQLite, INTEGER)."""


def code(job_id: int) -> str:
    """Return the code of a job's id, at least 4 signs long: 630242 is ``K7F2``."""
    signs = ""
    while job_id:
        job_id, value = divmod(job_id, len(_SIGNS))
        signs = _SIGNS[value] + signs
    return signs.rjust(_SHORTEST, _SIGNS[0])


def job_id(text: str) -> int:
    """Return the id that a typed code stands for; raises ``RequestError`` in words for what is none.

    Its zeros count: 1 is no code, for it may be meant as a place in a list.
    """
    signs = text.strip().removeprefix("#").replace("-", "").upper()
    found = 0
    for sign in signs:
        found = found * len(_SIGNS) + _VALUES.get(sign, _LARGEST)
        if found > _LARGEST:
            break
    if not 0 < found < _LARGEST or len(signs) != len(code(found)):
        raise RequestError(
            N_("“{code}” is no picture's code."),
            N_("A code is like {example}: /history and /queue show have them, and Settings under a picture."),
            code=text[:20],
            example=code(630_242),
        )
    return found
