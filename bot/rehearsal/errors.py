"""Discord's refusals: a status, a JSON code, words, and for bad forms a tree of what is wrong where."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal as it goes over the wire; ``status`` is the HTTP status, ``code`` Discord's own."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        extra: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.headers = headers or {}
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra or {}

    def json(self) -> Json:
        """Return the body."""
        return {"message": self.message, "code": self.code, **self.extra}


# Codes and words: Discord docs, Opcodes and Status Codes, JSON.
def unauthorized() -> ApiError:
    """Refuse a missing or wrong bot token."""
    return ApiError(401, 0, "401: Unauthorized")


def unknown_channel() -> ApiError:
    """Say that the channel was deleted or never was."""
    return ApiError(404, 10003, "Unknown Channel")


def unknown_message() -> ApiError:
    """Say that the message was deleted, never was, or is ephemeral and asked for by its channel."""
    return ApiError(404, 10008, "Unknown Message")


def unknown_user() -> ApiError:
    """Say that there is no such user."""
    return ApiError(404, 10013, "Unknown User")


def unknown_webhook() -> ApiError:
    """Say that no answered interaction has this token."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """Say that the answer came after the deadline, or to nothing."""
    return ApiError(404, 10062, "Unknown interaction")


def already_acknowledged() -> ApiError:
    """Say that the interaction has had its one first response."""
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def too_large() -> ApiError:
    """Say that a file is over the place's upload limit."""
    return ApiError(413, 40005, "Request entity too large")


def missing_access() -> ApiError:
    """Say that the bot does not see the place."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """Say that the bot sees the place but may not do this."""
    return ApiError(403, 50013, "Missing Permissions")


def not_ones_own() -> ApiError:
    """Say that somebody else wrote the message."""
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    """Refuse a message without anything in it."""
    return ApiError(400, 50006, "Cannot send an empty message")


def closed_direct_messages() -> ApiError:
    """Say that the person takes no direct messages."""
    return ApiError(403, 50007, "Cannot send messages to this user")


def no_mutual_guild() -> ApiError:
    """Say that nothing brings the app and the person together."""
    return ApiError(403, 50278, "Cannot send messages to this user due to having no mutual guilds")


def expired_token() -> ApiError:
    """Say that the interaction is older than its token's life."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def too_many_followups() -> ApiError:
    """Say that an app which is no member here has sent all the follow-ups it may."""
    return ApiError(400, 40094, "This interaction has reached the maximum number of follow up messages")


def archived_thread() -> ApiError:
    """Say that the thread must be unarchived first."""
    return ApiError(400, 50083, "Thread is archived")


def bad_json() -> ApiError:
    """Say that the body is no JSON."""
    return ApiError(400, 50109, "The request body contains invalid JSON.")


class FormErrors:
    """Collects what is wrong with a form, each under the path of its field."""

    def __init__(self) -> None:
        self._tree: Json = {}

    def add(self, path: Sequence[str | int], code: str, message: str) -> None:
        """Note that the field at ``path`` is wrong."""
        node = self._tree
        for part in path:
            node = node.setdefault(str(part), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: Sequence[str | int]) -> None:
        """Note that a field is missing."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def length(self, path: Sequence[str | int], value: object, low: int, high: int) -> bool:
        """Note it if ``value`` is no text of ``low`` to ``high`` characters; return whether it is."""
        if not isinstance(value, str):
            self.add(path, "BASE_TYPE_BAD_TYPE", "Must be a string.")
            return False
        if not low <= len(value) <= high:
            words = f"Must be between {low} and {high} in length."
            if not low:
                words = f"Must be {high} or fewer in length."
            self.add(path, "BASE_TYPE_BAD_LENGTH" if low else "BASE_TYPE_MAX_LENGTH", words)
            return False
        return True

    def count(self, path: Sequence[str | int], value: object, low: int, high: int) -> bool:
        """Note it if ``value`` is no list of ``low`` to ``high`` items; return whether it is."""
        if not isinstance(value, list):
            self.add(path, "BASE_TYPE_BAD_TYPE", "Must be an array.")
            return False
        if not low <= len(value) <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
            return False
        return True

    def raise_if_any(self) -> None:
        """Raise 50035 with the whole tree, unless nothing was wrong."""
        if self._tree:
            raise ApiError(400, 50035, "Invalid Form Body", extra={"errors": self._tree})
