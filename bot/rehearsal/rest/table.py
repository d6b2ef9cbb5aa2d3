"""A table of routes: method, template, what answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.stage import Call, Stage

Play = Callable[[Stage, Call], Any]
"""Answers a call with something to be sent as JSON, or ``None`` for 204."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route; ``by_token``: an interaction's token in the path takes the place of the bot's."""

    method: str
    path: str
    play: Play
    by_token: bool = False


class Table:
    """Collects a file's routes."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(self, method: str, path: str, *, by_token: bool = False) -> Callable[[Play], Play]:
        """Let the decorated function answer ``method path``."""

        def add(play: Play) -> Play:
            self.routes.append(Route(method, path, play, by_token))
            return play

        return add
