"""A person at Discord's own client: types commands, presses buttons, fills modals, reacts."""

from collections.abc import Iterable
from typing import Any

from bot.rehearsal import commands, components, payloads, permissions
from bot.rehearsal.errors import Json
from bot.rehearsal.forms import Upload, described
from bot.rehearsal.interactions import Act, Interaction, context_of
from bot.rehearsal.options import Filled, NotOfferedError, Value
from bot.rehearsal.permissions import Permission
from bot.rehearsal.stage import Stage
from bot.rehearsal.world import Attachment, Channel, Message, User, walk


class NoAnswerError(AssertionError):
    """The bot let the deadline pass: Discord shows "The application did not respond"."""


class Person:
    """``user`` in ``channel``; raises ``NotOfferedError`` for what Discord's client would not allow."""

    def __init__(self, stage: Stage, user: User, channel: Channel, *, waits: bool) -> None:
        self._stage = stage
        self.user = user
        self.channel = channel
        self._waits = waits

    async def slash(self, path: str, /, **values: Value) -> Interaction:
        """Send a command (``"draw"``, ``"model list"``) with its options."""
        return await self._act(Act.COMMAND, self._command(path, values))

    async def autocomplete(self, path: str, option: str, typed: str, /, **values: Value) -> list[Json]:
        """Return the choices (name, value) the bot suggests for ``option`` after ``typed``."""
        data = self._command(path, {**values, option: typed}, focused=option)
        interaction = await self._act(Act.AUTOCOMPLETE, data, always=True)
        return interaction.choices

    async def menu(self, name: str, message: Message) -> Interaction:
        """Choose an app from a message's context menu."""
        command = self._offered(name, commands.MESSAGE_MENU)
        shape = payloads.message(message, self._stage.world.bot)
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": commands.MESSAGE_MENU,
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): shape}},
        }
        return await self._act(Act.COMMAND, data)

    async def press(self, message: Message, button: str) -> Interaction:
        """Press a button by its custom id, its label, or its emoji."""
        control = self._control(message, button, {components.BUTTON})
        data = {"custom_id": control["custom_id"], "component_type": components.BUTTON, "id": control["id"]}
        return await self._act(Act.COMPONENT, data, source=message)

    async def choose(self, message: Message, menu: str, *values: str) -> Interaction:
        """Choose ``values`` (or their labels) in a menu, by its custom id or placeholder."""
        control = self._control(message, menu, {components.SELECT})
        chosen = _chosen(control, values)
        data = {
            "custom_id": control["custom_id"],
            "component_type": components.SELECT,
            "id": control["id"],
            "values": chosen,
        }
        return await self._act(Act.COMPONENT, data, source=message)

    async def submit(self, opened: Interaction, values: dict[str, Any] | None = None) -> Interaction:
        """Submit the modal that ``opened`` brought; ``values`` by custom id or label, the rest stays as filled."""
        if opened.modal is None:
            raise NotOfferedError(f"No modal is open; the response was: {opened.kind}.")
        form = _Form(opened.modal, dict(values or {}), self._stage, self.channel)
        data: Json = {"custom_id": opened.modal["custom_id"], "components": form.fields()}
        if form.resolved:
            data["resolved"] = form.resolved
        return await self._act(Act.MODAL, data, source=opened.source, parent=opened)

    async def say(self, content: str = "", *files: Attachment) -> Message:
        """Write an ordinary message."""
        uploads = [Upload(i, file.filename, file.data) for i, file in enumerate(files)]
        metas = [{"id": i, "description": file.description} for i, file in enumerate(files)]
        return self._stage.post.send(self.channel, self.user, {"content": content, "attachments": metas}, uploads)

    async def react(self, message: Message, face: str) -> None:
        """React with an emoji; the first of its kind needs Add Reactions."""
        if message.private_to is not None:
            raise NotOfferedError("Nobody can react to an ephemeral message.")
        if not message.reactions.get(face):
            self._need(message.channel, Permission.ADD_REACTIONS)
        self._stage.post.react(message, self.user, face)

    async def unreact(self, message: Message, face: str) -> None:
        """Take one's reaction away."""
        self._stage.post.unreact(message, self.user, face)

    async def delete(self, message: Message) -> None:
        """Delete a message: one's own, or with Manage Messages."""
        if message.author is not self.user:
            self._need(message.channel, Permission.MANAGE_MESSAGES)
        self._stage.post.delete(message)

    def sees(self, message: Message) -> bool:
        """Return whether this person sees ``message``."""
        return message.private_to in {None, self.user.id}

    def is_offered(self, command: Json) -> bool:
        """Return whether the client shows a registered command to this person here."""
        try:
            self._check_offer(command)
        except NotOfferedError:
            return False
        return True

    async def _act(
        self,
        act: Act,
        data: Json,
        *,
        source: Message | None = None,
        parent: Interaction | None = None,
        always: bool = False,
    ) -> Interaction:
        desk = self._stage.interactions
        channel = source.channel if source is not None else self.channel
        interaction = desk.send(act, self.user, channel, data, source=source, parent=parent)
        if self._waits or always:
            try:
                await interaction.acknowledged(desk.deadline_s)
            except TimeoutError:
                raise NoAnswerError("The application did not respond.") from None
        return interaction

    def _command(self, path: str, values: dict[str, Value], *, focused: str | None = None) -> Json:
        command = self._offered(path.split(maxsplit=1)[0], commands.CHAT)
        schema = dict(commands.leaves(command)).get(path)
        if schema is None:
            raise NotOfferedError(f"/{path} is no command by itself.")
        filled = Filled(self._stage.post, self.channel, focused=focused)
        options = filled.fill(schema, values)
        kind = commands.SUBCOMMAND
        for name in reversed(path.split()[1:]):
            options = [{"name": name, "type": kind, "options": options}]
            kind = commands.GROUP
        data: Json = {"id": command["id"], "name": command["name"], "type": commands.CHAT, "options": options}
        if filled.resolved:
            data["resolved"] = filled.resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data

    def _offered(self, name: str, kind: int) -> Json:
        """Return a command if the client shows it to this person here."""
        guild = self.channel.guild
        command = self._stage.commands.find(name, kind, guild.id if guild else None)
        if command is None:
            raise NotOfferedError(f"The bot has registered no command {name!r}.")
        self._check_offer(command)
        return command

    def _check_offer(self, command: Json) -> None:
        guild, name = self.channel.guild, command["name"]
        context = context_of(self.channel)
        if command["contexts"] is not None and context not in command["contexts"]:
            raise NotOfferedError(f"/{name} is not offered in this kind of place.")
        by_guild = not self.channel.is_group if guild is None else self._stage.world.bot.id in guild.members
        installed = {0} if by_guild else set()
        installed |= {1} if self.user.installed else set()
        if not installed & set(command["integration_types"]):
            raise NotOfferedError(f"The bot is not installed here for /{name}.")
        needed = command["default_member_permissions"]
        rights = permissions.of(self.user, self.channel)
        if guild is not None and needed is not None and not _allows(rights, int(needed)):
            raise NotOfferedError(f"/{name} is hidden from {self.user.name} by its default permissions.")
        self._need(self.channel, Permission.USE_APPLICATION_COMMANDS)

    def _control(self, message: Message, name: str, kinds: set[int]) -> Json:
        if message.deleted or not self.sees(message):
            raise NotOfferedError("This message is not there to be used.")
        for control in message.controls:
            faces = {control.get("custom_id"), control.get("label"), control.get("placeholder")}
            faces.add((control.get("emoji") or {}).get("name"))
            if name in faces and control["type"] in kinds:
                if control.get("disabled") or control.get("url"):
                    raise NotOfferedError(f"{name!r} is disabled or only a link.")
                return control
        offered = [c.get("label") or c.get("placeholder") or c.get("custom_id") for c in message.controls]
        raise NotOfferedError(f"The message has no {name!r}, only {offered}.")

    def _need(self, channel: Channel, permission: Permission) -> None:
        if not permissions.of(self.user, channel) & permission:
            raise NotOfferedError(f"{self.user.name} lacks {permission.name} here.")


class _Form:
    """A modal as it is filled in."""

    def __init__(self, modal: Json, values: dict[str, Any], stage: Stage, channel: Channel) -> None:
        self._modal = modal
        self._values = values
        self._stage = stage
        self._channel = channel
        self.resolved: Json = {}

    def fields(self) -> list[Json]:
        """Return the submitted components; raises ``NotOfferedError`` for values the fields do not take."""
        submitted: list[Json] = []
        for outer in components.numbered(self._modal["components"]):
            shape: Json = {"type": outer["type"], "id": outer["id"]}
            if outer["type"] == components.LABEL:
                shape["component"] = self._field(outer["component"], outer["label"])
            elif outer["type"] == components.ROW:
                shape["components"] = [self._field(inner, inner.get("label", "")) for inner in outer["components"]]
            submitted.append(shape)
        if self._values:
            names = [c.get("custom_id") for c in walk(self._modal["components"]) if c.get("custom_id")]
            raise NotOfferedError(f"The modal has no field {', '.join(self._values)}, only {names}.")
        return submitted

    def _field(self, field: Json, label: str) -> Json:
        key = next((name for name in (field["custom_id"], label) if name in self._values), None)
        given = None if key is None else self._values.pop(key)
        shape: Json = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
        if field["type"] == components.TEXT_INPUT:
            value = field.get("value") or "" if given is None else str(given)
            _check_length(field, value)
            return shape | {"value": value}
        if field["type"] == components.FILE_UPLOAD:
            files = [given] if isinstance(given, Attachment) else list(given or ())
            return shape | {"values": [self._upload(file) for file in files]}
        if given is None:
            return shape | {"values": [o["value"] for o in field.get("options", ()) if o.get("default")]}
        if not given and field.get("required", True):
            raise NotOfferedError(f"{field['custom_id']} is required.")
        return shape | {"values": _chosen(field, [given] if isinstance(given, str) else given)}

    def _upload(self, file: Attachment) -> str:
        kept = self._stage.post.keep(described(file), self._channel, ephemeral=True)
        self.resolved.setdefault("attachments", {})[str(kept.id)] = payloads.attachment(kept)
        return str(kept.id)


def _allows(rights: int, needed: int) -> bool:
    """Return whether default permissions show a command; 0 shows it to administrators alone."""
    return rights == permissions.ALL or (needed != 0 and rights & needed == needed)


def _check_length(field: Json, value: str) -> None:
    if not value and field.get("required", True):
        raise NotOfferedError(f"{field['custom_id']} is required.")
    if value and not (field.get("min_length") or 0) <= len(value) <= (field.get("max_length") or 4000):
        raise NotOfferedError(f"{field['custom_id']} has {len(value)} characters, outside what it takes.")


def _chosen(select: Json, values: Iterable[str]) -> list[str]:
    options = {option["label"]: option["value"] for option in select.get("options", ())}
    chosen = [options.get(value, value) for value in values]
    if not set(chosen) <= set(options.values()):
        raise NotOfferedError(f"The menu offers {sorted(options)}, not {chosen}.")
    low, high = select.get("min_values", 1), select.get("max_values", 1)
    if not low <= len(chosen) <= high:
        raise NotOfferedError(f"The menu takes {low} to {high} values.")
    return chosen
