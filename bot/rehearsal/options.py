"""What Discord's own client checks before it sends a command: the options' values against the schema."""

from bot.rehearsal import commands, payloads
from bot.rehearsal.errors import Json
from bot.rehearsal.forms import described
from bot.rehearsal.post import Post
from bot.rehearsal.world import Attachment, Channel, Role, User

Value = str | int | float | bool | User | Role | Channel | Attachment
_MAX_STRING = 6000


class NotOfferedError(ValueError):
    """What Discord's own client would not let a person do."""


class Filled:
    """The options of one command as a person filled them: ``data`` for the wire, ``resolved`` beside it."""

    def __init__(self, post: Post, channel: Channel, *, focused: str | None = None) -> None:
        self._post = post
        self._channel = channel
        self._focused = focused
        self.resolved: Json = {}

    def fill(self, schema: list[Json], values: dict[str, Value]) -> list[Json]:
        """Return the options as Discord sends them, in the order typed; raises ``NotOfferedError``."""
        by_name = {option["name"]: option for option in schema}
        unknown = sorted(set(values) - set(by_name))
        if unknown:
            raise NotOfferedError(f"No such option: {', '.join(unknown)}.")
        missing = [o["name"] for o in schema if o.get("required") and o["name"] not in values]
        if missing and self._focused is None:
            raise NotOfferedError(f"Required: {', '.join(missing)}.")
        return [self._option(by_name[name], value) for name, value in values.items()]

    def _option(self, option: Json, value: Value) -> Json:
        shape: Json = {"name": option["name"], "type": option["type"]}
        if option["name"] == self._focused:
            return shape | {"value": str(value), "focused": True}
        if isinstance(value, User | Role | Channel | Attachment):
            return shape | {"value": self._resolve(option, value)}
        if option["type"] >= commands.USER and option["type"] != commands.NUMBER:
            raise NotOfferedError(f"{option['name']} takes no {type(value).__name__}.")
        return shape | {"value": _checked(option, value)}

    def _resolve(self, option: Json, value: User | Role | Channel | Attachment) -> str:
        kinds: dict[type, tuple[int, str]] = {
            User: (commands.USER, "users"),
            Role: (commands.ROLE, "roles"),
            Channel: (commands.CHANNEL, "channels"),
            Attachment: (commands.ATTACHMENT, "attachments"),
        }
        kind, section = kinds[type(value)]
        if option["type"] != kind and not (option["type"] == commands.MENTIONABLE and kind != commands.ATTACHMENT):
            raise NotOfferedError(f"{option['name']} takes no {type(value).__name__}.")
        if isinstance(value, Attachment):
            shape = payloads.attachment(self._post.keep(described(value), self._channel, ephemeral=True))
        elif isinstance(value, User):
            shape = payloads.user(value)
            self._resolve_member(value)
        elif isinstance(value, Role):
            shape = payloads.role(value)
        else:
            self._check_channel(option, value)
            shape = payloads.channel(value) | {"permissions": "0"}
        self.resolved.setdefault(section, {})[str(value.id)] = shape
        return str(value.id)

    def _check_channel(self, option: Json, value: Channel) -> None:
        """Raise for what the client's list of channels would not have."""
        kinds = option.get("channel_types")
        if value.guild is not self._channel.guild or (kinds and value.type not in kinds):
            raise NotOfferedError(f"{option['name']} does not offer #{value.name}.")

    def _resolve_member(self, user: User) -> None:
        guild = self._channel.guild
        if guild is not None and user.id in guild.members:
            entry = payloads.member(guild.members[user.id], permissions=0, with_user=False)
            self.resolved.setdefault("members", {})[str(user.id)] = entry


def _checked(option: Json, value: str | float | bool) -> str | float | bool:
    name, kind = option["name"], option["type"]
    if kind == commands.BOOLEAN:
        if not isinstance(value, bool):
            raise NotOfferedError(f"{name} is True or False.")
        return value
    if kind == commands.STRING:
        if not isinstance(value, str):
            raise NotOfferedError(f"{name} is a text.")
        if not max(option.get("min_length") or 0, 1) <= len(value) <= (option.get("max_length") or _MAX_STRING):
            raise NotOfferedError(f"{name} has {len(value)} characters, outside what it takes.")
    else:
        if isinstance(value, bool | str) or (kind == commands.INTEGER and not isinstance(value, int)):
            raise NotOfferedError(f"{name} is a number.")
        low, high = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
        if not low <= value <= high:
            raise NotOfferedError(f"{name} is between {low} and {high}, not {value}.")
    choices = option.get("choices")
    if choices and value not in {choice["value"] for choice in choices}:
        raise NotOfferedError(f"{name} is one of {', '.join(str(choice['value']) for choice in choices)}.")
    return value
