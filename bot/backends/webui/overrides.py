"""Settings that go with a request, and those that must go with every later one.

``override_settings_restore_afterwards`` does not restore a key that the server's saved ``config.json`` lacks
(AUTOMATIC1111 1.10.1, Forge): one request with a CLIP skip of 2 makes every later one skip too. So a key that
was sent once is sent always, with the server's own value where the request asks for nothing.
"""

from collections.abc import Mapping
from typing import Any

CHECKPOINT = "sd_model_checkpoint"
"""The one key that every server has saved, so that it never leaks."""


class Overrides:
    """What one server's settings are apart from our requests, and which of them our requests touched."""

    def __init__(self) -> None:
        self._own: dict[str, Any] = {}
        self._sent: dict[str, list[Any]] = {}

    def learn(self, options: Any) -> None:
        """Take over ``GET /options``, but for a value that a request of ours brought: it may have leaked."""
        if not isinstance(options, dict):
            return
        for key, value in options.items():
            if key not in self._own or value not in self._sent.get(key, ()):
                self._own[key] = value

    def forget(self, changes: Mapping[str, Any]) -> None:
        """Take the values of ``changes`` for the server's own from now on: it was told to keep them."""
        for key, value in changes.items():
            self._own[key] = value
            self._sent.get(key, []).clear()

    def complete(self, wanted: Mapping[str, Any], always: Mapping[str, Any]) -> dict[str, Any]:
        """Return all overrides of a request: ``wanted`` over the server's own values of what was touched before.

        ``always`` are keys that count as touched from the start, with a value for a server that tells none.
        """
        touched = [*always, *(key for key in self._sent if key not in always)]
        own = {key: self._own.get(key, always.get(key)) for key in touched}
        for key, value in wanted.items():
            if key == CHECKPOINT:
                continue
            sent = self._sent.setdefault(key, [])
            if value not in sent and value != self._own.get(key):
                sent.append(value)
        return {**{key: value for key, value in own.items() if value is not None}, **wanted}
