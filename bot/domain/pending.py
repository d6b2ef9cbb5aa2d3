"""Names that stand in an order for pictures which are fetched only after the answer."""

from enum import StrEnum


class Pending(StrEnum):
    """A picture still to come, by the part it plays; no blob's hash looks like one."""

    INIT = "pending:init"
    MASK = "pending:mask"
    CONTROL = "pending:control"
    FACE = "pending:face"
