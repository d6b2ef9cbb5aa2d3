"""Bad input: a clear answer for who sent it, nobody pinged, nobody's job lost."""

import asyncio
import io

import pytest
from PIL import Image

from bot.rehearsal import Discord, Interaction
from bot.rehearsal.world import Attachment
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.play import (
    ask,
    draw,
    insist,
    nth,
    painted,
    private,
    raw_command,
    raw_submit,
    recipe,
    result,
    told,
)

HUGE = 10**30


async def refused(discord: Discord, act: Interaction) -> str:
    """Return the private words of a refusal that left nothing behind in public."""
    text = await private(discord, act)
    assert not [m for m in act.channel.messages if not m.ephemeral and not painted(m)]
    return text


async def form(discord: Discord, **texts: str) -> Interaction:
    """Submit the Edit form of job 1, the channel's first message, past the checks of the client."""
    message = discord.world.channel.messages[0]
    whole = {"prompt": "a fox", "negative_prompt": "", "model": "", "settings": "128x128", "seed": ""} | texts
    return await raw_submit(discord, discord.world.ada, "easel:edit:1", message, **whole)


@pytest.mark.usefixtures("easel")
async def test_numbers_beyond_what_discords_client_lets_through_are_refused_in_words(discord: Discord) -> None:
    ada = discord.world.ada
    for name, value, words in (
        ("width", 1, "width 1 is outside"),
        ("height", -5, "height -5 is outside"),
        ("steps", 0, "steps 0 is outside"),
        ("steps", 10_000, "between 1 and 60"),
        ("count", 99, "count 99 is outside"),
        ("cfg_scale", -1.5, "cfg\\_scale -1.5 is outside"),
        ("seed", -1, "seed -1 is outside"),
        ("seed", HUGE, "between 0 and 4294967295"),
    ):
        act = await raw_command(discord, ada, "draw", prompt="a fox", **{name: value})
        assert words in await refused(discord, act), name
    too_many = await raw_command(discord, ada, "draw", prompt="a fox", width=2048, height=2048)
    assert "megapixels" in await refused(discord, too_many)


@pytest.mark.usefixtures("easel")
async def test_numbers_in_the_form_are_refused_in_words(discord: Discord) -> None:
    await draw(discord)
    for texts, words in (
        ({"seed": str(HUGE)}, f"seed {HUGE} is outside"),
        ({"seed": "-1"}, "seed -1 is outside"),
        ({"seed": "seven"}, "“seven” is no number for seed."),
        ({"seed": "9" * 3000}, "seed 9999"),
        ({"seed": "inf"}, "“inf” is no number"),
        ({"settings": "1×1"}, "width 1 is outside"),
        ({"settings": "128x128 · steps -3"}, "steps -3 is outside"),
        ({"settings": "128x128 · cfg nan"}, "“nan” is no number"),
        ({"settings": "128x128 · count 0"}, "count 0 is outside"),
        ({"settings": "128x128 · sampler Eular a"}, "The nearest is “Euler a”"),
        ({"settings": "128x128 · lora cat:hundred"}, "no LoRA with a weight"),
        ({"model": "sketchy"}, "The nearest is “sketch (no model)”"),
        ({"settings": "make it nice"}, "says nothing to me"),
        ({"prompt": "  "}, "The prompt is empty."),
    ):
        assert words in await refused(discord, await form(discord, **texts)), texts


@pytest.mark.usefixtures("easel")
async def test_what_is_said_twice_or_shows_nothing_is_refused_in_words(discord: Discord) -> None:
    ada = discord.world.ada
    for values, words in (
        ({"size": "2:3", "width": 128}, "“size” and “width” say the same twice."),
        ({"more": "steps 9 · steps 11"}, "“steps” is there twice."),
        ({"more": "stps 9"}, "Did you mean “steps”?"),
        ({"lora": ",,,"}, "“,,,” names nothing for lora."),
        ({"prompt": "\u200b\u200d"}, "The prompt is empty."),
    ):
        act = await raw_command(discord, ada, "draw", **({"prompt": "a fox"} | values))
        assert words in await refused(discord, act), values


@pytest.mark.usefixtures("easel")
async def test_a_prompt_of_5000_characters_is_refused_and_one_of_4000_painted(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    first = await draw(discord)
    too_long = await raw_command(discord, ada.user, "draw", prompt="fox " * 1250)
    assert "Shorten it to 4000 characters." in await refused(discord, too_long)
    assert "5000 characters" in await refused(discord, await form(discord, prompt="é" * 5000))
    assert "5000 characters" in await refused(discord, await form(discord, negative_prompt="x" * 5000))
    most = "fox*" * 1000
    asked = await ada.submit(await ada.press(first, "Edit"), {"prompt": most})
    message = await result(await insist(discord, asked))
    assert recipe(message).prompt == most
    assert len(message.attachments[0].description or "") <= 1000
    settings = await ada.press(message, "Settings")
    [file] = (await settings.until(lambda m: m.attachments)).attachments
    assert most in file.data.decode(), "what is too long for a message comes as a file"
    again = await result(await ada.submit(await ada.press(message, "Edit"), {"seed": "3"}))
    assert recipe(again).prompt == most


@pytest.mark.usefixtures("easel")
async def test_files_that_are_no_good_pictures_are_refused_in_private_and_leave_no_placeholder(
    discord: Discord,
) -> None:
    ada = discord.as_(discord.world.ada)
    for name, data, words in (
        ("notes.txt", b"just words", "That file is not a picture."),
        ("notes.png", b"just words", "not a picture that can be read"),
        ("empty.png", b"", "not a picture that can be read"),
        ("cut.png", pictures.truncated_png(), "damaged or incomplete"),
        ("bomb.png", pictures.bomb(), "too large: 900 megapixels"),
        ("half-bomb.png", pictures.bomb(9_000, 9_000), "too large: 81 megapixels"),
        ("page.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture"),
    ):
        act = await ada.slash("remix", image=Attachment(name, data), prompt="a fox")
        assert words in await refused(discord, act), name
    assert "Nobody waits here" in await ask(discord, ada.user, "queue show")


@pytest.mark.usefixtures("easel")
async def test_odd_pictures_are_painted_over_all_the_same(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    for name, data in (
        ("moving.gif", pictures.animated_gif()),
        ("print.jpg", pictures.cmyk_jpeg()),
        ("deep.png", pictures.png(160, 80, "I;16")),
        ("clear.png", pictures.png(160, 80, "LA")),
        ("wrong-name.gif", pictures.png(160, 80)),
    ):
        act = await ada.slash("remix", image=Attachment(name, data), prompt="a fox", strength=0.05)
        [made] = (await result(act)).attachments
        with Image.open(io.BytesIO(made.data)) as image:
            assert image.convert("RGB").getextrema() != ((0, 0),) * 3, name


async def test_a_picture_that_exif_turns_upright_is_painted_upright(discord: Discord, start: Start) -> None:
    async with start(EASEL_DEFAULT_WIDTH="256", EASEL_DEFAULT_HEIGHT="256"):
        image = Attachment("phone.jpg", pictures.rotated_jpeg())
        act = await discord.as_(discord.world.ada).slash("remix", image=image, prompt="a fox")
        [made] = (await result(act)).attachments
    assert (made.height or 0) > (made.width or 0)


@pytest.mark.usefixtures("easel")
async def test_words_that_mention_people_ping_nobody_and_are_shown_as_typed(discord: Discord) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    nasty = (
        f"@everyone @here {world.bruno.mention} <@&{world.guild.id}> **bold** [x](https://x.org) ||hid|| `c` # h"
    )
    first = await draw(discord, prompt=nasty, negative_prompt=nasty)
    await ada.press(first, "Reroll")
    second = await nth(discord, 2)
    assert recipe(second).prompt == nasty, "what is painted is what was typed"
    settings = await ada.press(first, "Settings")
    assert nasty in await private(discord, settings), "the copyable line is exact"
    refusal = await ada.slash("draw", prompt="a fox", sampler=nasty[:90])
    assert "There is no sampler" in await private(discord, refusal)
    for message in world.channel.messages:
        assert not any((message.mention_everyone, message.mention_roles))
        assert set(message.mentions) <= {world.bot}, "an answer to its own message mentions but itself"
        if not message.ephemeral:
            assert "@everyone" not in message.text
            assert world.bruno.mention not in message.text
            assert "**bold**" not in message.text
            assert message.attachments[0].filename == f"easel-{world.channel.messages.index(message) + 1}-0.png"
    for request in discord.requests:
        body = request.body if isinstance(request.body, dict) else {}
        inner = body.get("data") or body
        if inner.get("content") or inner.get("embeds"):
            allowed = inner.get("allowed_mentions") or {}
            assert allowed == {} or allowed.get("parse") == [], request.path
            assert allowed or not inner.get("content"), "contents always say whom they may ping: nobody"


@pytest.mark.usefixtures("easel")
async def test_zero_width_right_to_left_and_half_surrogates_do_no_harm(discord: Discord) -> None:
    message = await draw(discord, prompt="a\u202efox\u200b\x00\n\n🦊 עברית")
    assert "\u202e" not in message.text
    assert "🦊" in message.text


async def test_who_has_too_many_jobs_in_line_is_told_and_loses_none(discord: Discord, start: Start) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with start():
        first = await draw(discord)
        await nth(discord, 1, lambda m: bool(m.reactions))
    async with start(
        EASEL_BACKENDS="webui=http://127.0.0.1:9", EASEL_MAX_QUEUED_USER="2", EASEL_MAX_QUEUED_GUILD="3"
    ):
        kept = [await ada.slash("draw", prompt=f"fox {n}") for n in range(2)]
        for act in kept:
            await act.until(lambda m: "Waiting for a painter" in m.text)
        for act in (await ada.slash("draw", prompt="fox 3"), await ada.press(first, "Reroll")):
            text = await private(discord, act)
            assert "You have 2 jobs in line" in text
            assert act.original is not None
            assert act.original.ephemeral
        await ada.react(first, "🔁")
        await told(discord, world.ada, "You have 2 jobs in line")
        bruno = discord.as_(world.bruno)
        kept.append(await bruno.slash("draw", prompt="fox 4"))
        await kept[-1].until(lambda m: "Waiting for a painter" in m.text)
        assert "The line is full: 3 jobs" in await private(discord, await bruno.slash("draw", prompt="fox 5"))
        carla = await discord.as_(world.carla, world.other_channel).slash("draw", prompt="fox 6")
        await carla.until(lambda m: "Waiting for a painter" in m.text)
    async with start():
        for act in kept:
            await act.until(painted, 20)
        await carla.until(painted, 20)


async def test_a_burst_over_the_cap_keeps_exactly_as_many_as_are_allowed(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9", EASEL_MAX_QUEUED_USER="3"):
        acts = await asyncio.gather(*(ada.slash("draw", prompt=f"fox {n}") for n in range(8)))
        await discord.until(lambda: sum(any(r.private_to for r in act.replies) for act in acts) == 5)
        public = [m for m in discord.world.channel.messages if not m.ephemeral]
        assert len(public) == 3
