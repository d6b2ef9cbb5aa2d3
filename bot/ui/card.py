"""What a message is to look like, before anybody knows by which route it is sent."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import discord


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a message: ``description`` is its alt text, ``filename`` never holds anybody's words."""

    filename: str
    data: bytes = field(repr=False)
    description: str = ""
    spoiler: bool = False

    @property
    def sent_name(self) -> str:
        """The name it is uploaded under; Discord hides a file by the prefix of its name."""
        return f"SPOILER_{self.filename}" if self.spoiler else self.filename

    @property
    def uri(self) -> str:
        """How an embed of the same message refers to it."""
        return f"attachment://{self.sent_name}"

    def file(self) -> discord.File:
        """Return a fresh file for one request; discord.py reads it from its start at every retry."""
        return discord.File(
            BytesIO(self.data),
            self.filename,
            spoiler=self.spoiler,
            description=self.description or None,
        )


@dataclass(frozen=True, slots=True)
class Card:
    """A whole message: an edit to it leaves nothing of what was there before.

    ``mention`` is the one person whom the message may ping; without it nobody is pinged, whatever the text.
    """

    content: str | None = None
    embed: discord.Embed | None = None
    view: discord.ui.View | None = None
    files: tuple[Attachment, ...] = ()
    mention: int | None = None

    @property
    def allowed_mentions(self) -> discord.AllowedMentions:
        """Whom Discord may notify."""
        if self.mention is None:
            return discord.AllowedMentions.none()
        users = [discord.Object(self.mention)]
        return discord.AllowedMentions(everyone=False, users=users, roles=False, replied_user=False)

    def send_fields(self) -> dict[str, Any]:
        """Return the keyword arguments of a new message; what it has not is left out, as discord.py wants it."""
        wanted: dict[str, Any] = {"content": self.content, "embed": self.embed, "view": self.view}
        wanted["files"] = [attachment.file() for attachment in self.files] or None
        return {
            "allowed_mentions": self.allowed_mentions,
            **{name: value for name, value in wanted.items() if value is not None},
        }

    def edit_fields(self) -> dict[str, Any]:
        """Return the keyword arguments of an edit; ``None`` and an empty list take away what was there."""
        return {
            "content": self.content,
            "embed": self.embed,
            "view": self.view,
            "attachments": [attachment.file() for attachment in self.files],
            "allowed_mentions": self.allowed_mentions,
        }
