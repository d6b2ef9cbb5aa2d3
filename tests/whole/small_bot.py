"""A small bot on the real discord.py, to try the stand-in with; and how discord.py is pointed at it."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import pytest
import yarl
from discord import app_commands

from bot.rehearsal import Discord

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000030802000000368849d6"
    "0000001049444154789c63f8cfc0000510060012fa0233c8c1f2580000000049454e44ae426082"
)
FACE = "🔁"


def point_at(discord_: Discord, patch: pytest.MonkeyPatch) -> None:
    """Let discord.py speak to the stand-in instead of to Discord."""
    patch.setattr(discord.http.Route, "BASE", discord_.api_url)
    patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord_.gateway_url))
    patch.setattr(discord.asset.Asset, "BASE", discord_.base_url)


class SmallBot(discord.Client):
    def __init__(self) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, dm_reactions=True)
        super().__init__(intents=intents, guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.seen_reactions: list[tuple[str, str]] = []
        self.seen_deletions: list[int] = []
        self.resumed = 0
        self.gone: list[int] = []
        self.tree.add_command(draw)
        self.tree.add_command(whisper)
        self.tree.add_command(describe)
        self.tree.add_command(slow)
        self.tree.add_command(app_commands.ContextMenu(name="Look", callback=look))

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify anew at once; discord.py waits 5 s."""

    async def on_resumed(self) -> None:
        self.resumed += 1

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        assert self.user is not None
        if event.user_id != self.user.id:
            self.seen_reactions.append(("add", str(event.emoji)))

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        self.seen_reactions.append(("remove", str(event.emoji)))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.seen_deletions.append(event.message_id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.gone.append(guild.id)


class Rerolling(SmallBot):
    """Paints again where somebody reacts."""

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        assert self.user is not None
        if event.user_id != self.user.id:
            parent = self.get_partial_messageable(event.channel_id).get_partial_message(event.message_id)
            await parent.reply(file=discord.File(io.BytesIO(PNG), "easel-2.png"), view=Again())


class Again(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Edit", custom_id="edit")
    async def edit(self, interaction: discord.Interaction, _: discord.ui.Button["Again"]) -> None:
        await interaction.response.send_modal(Wish())

    @discord.ui.button(label="Count", custom_id="count")
    async def count(self, interaction: discord.Interaction, _: discord.ui.Button["Again"]) -> None:
        await interaction.response.edit_message(content="counted")

    @discord.ui.button(emoji=FACE, custom_id="again", disabled=True)
    async def again(self, interaction: discord.Interaction, _: discord.ui.Button["Again"]) -> None:
        await interaction.response.defer()

    @discord.ui.select(
        custom_id="take", options=[discord.SelectOption(label="One"), discord.SelectOption(label="Two")]
    )
    async def take(self, interaction: discord.Interaction, menu: discord.ui.Select["Again"]) -> None:
        await interaction.response.send_message(f"took {menu.values[0]}", ephemeral=True)


class Wish(discord.ui.Modal, title="Edit"):
    prompt: discord.ui.TextInput["Wish"] = discord.ui.TextInput(label="Prompt", default="a boat", max_length=100)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"edited to {self.prompt.value}")


async def suggest(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    models = ("dreamshaper_8", "dreamlike", "anything")
    return [app_commands.Choice(name=m, value=m) for m in models if m.startswith(current)]


@app_commands.command(description="Paint a picture")
@app_commands.autocomplete(model=suggest)
async def draw(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, 1500],
    model: str = "",
    steps: app_commands.Range[int, 1, 60] = 20,
) -> None:
    await interaction.response.defer()
    embed = discord.Embed(title="Painting", description=prompt)
    await interaction.edit_original_response(embed=embed)
    picture = discord.File(io.BytesIO(PNG), "easel-1.png", description=f"Prompt: {prompt}")
    done = discord.Embed(description=prompt).set_image(url="attachment://easel-1.png")
    done.set_footer(text=f"{steps} steps {model}")
    message = await interaction.edit_original_response(embed=done, attachments=[picture], view=Again())
    assert isinstance(interaction.channel, discord.abc.Messageable)
    await interaction.channel.get_partial_message(message.id).add_reaction(FACE)  # type: ignore[union-attr]


@app_commands.command(description="Answer in private, then follow up")
async def whisper(interaction: discord.Interaction, picture: discord.Attachment) -> None:
    data = await picture.read()
    await interaction.response.send_message(f"{len(data)} bytes, {picture.width}×{picture.height}", ephemeral=True)
    await interaction.followup.send("in public", allowed_mentions=discord.AllowedMentions.none())


@app_commands.command(description="Say who one is")
@app_commands.allowed_installs(guilds=True, users=True)
async def describe(interaction: discord.Interaction) -> None:
    words = (
        f"{interaction.locale} {interaction.guild_locale} {interaction.context.guild} {interaction.filesize_limit}"
    )
    await interaction.response.send_message(f"{words} {interaction.permissions.manage_messages}")


@app_commands.command(description="Take too long")
async def slow(interaction: discord.Interaction) -> None:
    await asyncio.sleep(0.3)
    try:
        await interaction.response.defer()
    except discord.NotFound as error:
        interaction.client.slow_error = error.code  # type: ignore[attr-defined]


async def look(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"{len(message.attachments)} files of {message.author.display_name}")


@asynccontextmanager
async def running(
    discord_: Discord, patch: pytest.MonkeyPatch, kind: type[SmallBot] = SmallBot
) -> AsyncIterator[SmallBot]:
    """Run a small bot against the stand-in until the block ends."""
    point_at(discord_, patch)
    client = kind()
    task = asyncio.create_task(client.start(discord_.token))
    try:
        await discord_.until(lambda: task.done() or discord_.gateway.online)
        if not task.done():
            await client.wait_until_ready()
        yield client
    finally:
        await client.close()
        await task
