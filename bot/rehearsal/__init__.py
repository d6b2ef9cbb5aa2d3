"""A local stand-in for Discord that speaks the real wire; it knows nothing of the bot it plays to."""

from bot.rehearsal.faults import Fault, Faults
from bot.rehearsal.interactions import Interaction, Interactions, Kind
from bot.rehearsal.options import NotOfferedError
from bot.rehearsal.permissions import Permission
from bot.rehearsal.person import NoAnswerError, Person
from bot.rehearsal.places import World
from bot.rehearsal.ratelimits import Rule
from bot.rehearsal.scene import play_scene
from bot.rehearsal.server import Discord
from bot.rehearsal.stage import Exchange
from bot.rehearsal.world import Attachment, Channel, Guild, Member, Message, Overwrite, Role, User, Version

__all__ = [
    "Attachment",
    "Channel",
    "Discord",
    "Exchange",
    "Fault",
    "Faults",
    "Guild",
    "Interaction",
    "Interactions",
    "Kind",
    "Member",
    "Message",
    "NoAnswerError",
    "NotOfferedError",
    "Overwrite",
    "Permission",
    "Person",
    "Role",
    "Rule",
    "User",
    "Version",
    "World",
    "play_scene",
]
