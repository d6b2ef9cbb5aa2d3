"""The floor: a discord.py bot that asks the backend for a picture and posts it, with no queue and no memory."""

import asyncio
import io
import os
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import discord
import yarl
from discord import app_commands

REROLL = "🔁"
TRANSACTION_BYTES = 16384
"""What a small transaction writes: a few pages of 4 kB."""


@dataclass(slots=True)
class Plan:
    """What it does beyond answering and uploading, per picture, to match what another bot did.

    ``transactions`` are small durable writes; ``stores``: the picture goes to a file, and that is synced too.
    """

    edits: int = 0
    reactions: int = 0
    transactions: int = 0
    stores: bool = False


class Bare(discord.Client):
    """``/draw prompt``; ``backend`` is the WebUI's address, ``folder`` where it writes if it must."""

    def __init__(self, backend: str, folder: Path) -> None:
        super().__init__(intents=discord.Intents(guilds=True), max_messages=None)
        self.plan = Plan()
        self.tree = app_commands.CommandTree(self)
        self._backend = backend
        self._folder = folder
        self._log = (folder / "log").open("wb")
        self.tree.add_command(app_commands.Command(name="draw", description="Paint", callback=self._draw))

    async def setup_hook(self) -> None:
        """Find the gateway where the API says it is, and register the command."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        _, gateway, _ = await self.http.get_bot_gateway()
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
        await self.tree.sync()

    async def close(self) -> None:
        """Free everything."""
        await self._session.close()
        self._log.close()
        await super().close()

    async def _draw(self, interaction: discord.Interaction, prompt: str) -> None:
        plan = self.plan
        await interaction.response.defer(thinking=True)
        for n in range(plan.edits):
            embed = discord.Embed(title=f"Painting {n}", description=prompt)
            await interaction.edit_original_response(embed=embed)
        order = {"prompt": prompt, "width": 512, "height": 512, "steps": 25}
        async with self._session.post(f"{self._backend}/sdapi/v1/txt2img", json=order) as response:
            painted = await response.json()
        data = b64decode(painted["images"][0])
        if plan.stores:
            await asyncio.to_thread(self._store, interaction.id, data)
        for _ in range(plan.transactions):
            await asyncio.to_thread(self._note)
        file = discord.File(io.BytesIO(data), "picture.png", description=prompt)
        embed = discord.Embed(description=prompt).set_image(url="attachment://picture.png")
        embed.set_footer(text="seed 1 · 512×512 · 25 steps")
        message = await interaction.edit_original_response(embed=embed, attachments=[file])
        channel = self.get_partial_messageable(interaction.channel_id or 0)
        for _ in range(plan.reactions):
            await channel.get_partial_message(message.id).add_reaction(REROLL)

    def _store(self, number: int, data: bytes) -> None:
        with (self._folder / f"{number}.png").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _note(self) -> None:
        self._log.write(bytes(TRANSACTION_BYTES))
        self._log.flush()
        os.fsync(self._log.fileno())
