"""Discord itself stumbles: nobody loses a picture by it."""

from bot.rehearsal import Discord, Message
from tests.whole.conftest import Start, Time


def painted(message: Message) -> bool:
    return any("easel-" in file.filename for file in message.attachments)


async def test_429s_and_500s_in_mid_job_cost_nobody_a_picture(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.3"):
        ada = discord.as_(discord.world.ada)
        act = await ada.slash("draw", prompt="a fox", steps=6)
        discord.faults.rate_limit("PATCH", r"/webhooks/", times=2, retry_after_s=0.2)
        discord.faults.answer("PATCH", r"/webhooks/", 500, times=1)
        await act.until(painted, 30)


async def test_a_cut_connection_at_the_delivery_is_tried_again(discord: Discord, start: Start) -> None:
    async with start():
        discord.faults.cut("PATCH", r"/webhooks/", times=1)
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
        await act.until(painted, 20)
    assert len(discord.world.channel.messages) == 1


async def test_a_lost_gateway_does_not_stop_the_painting(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.3"):
        ada = discord.as_(discord.world.ada)
        act = await ada.slash("draw", prompt="a fox", steps=6)
        await discord.faults.drop_gateway(1006)
        await act.until(painted, 20)
        await discord.online(20)
        again = await ada.slash("draw", prompt="an owl")
        await again.until(painted, 20)


async def test_an_answer_whose_connection_breaks_is_still_an_order(discord: Discord, start: Start) -> None:
    async with start():
        discord.faults.cut("POST", r"/callback", after=True)
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
        await act.until(painted, 20)


async def test_a_deleted_status_message_cancels_its_job(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.3"):
        ada = discord.as_(discord.world.ada)
        running = await ada.slash("draw", prompt="a fox", steps=8)
        waiting = await ada.slash("draw", prompt="an owl", steps=1)
        await discord.as_(discord.world.moderator).delete(running.message)
        await waiting.until(painted, 10)
    assert discord.world.channel.messages == [waiting.message]


async def test_a_place_that_lost_its_rights_gets_the_picture_by_direct_message(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=0.3"):
        act = await discord.as_(world.ada).slash("draw", prompt="a fox", steps=8)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        world.set_permissions(world.guild, world.role_of_bot(world.guild), 0)
        world.set_permissions(world.guild, world.guild.roles[world.guild.id], 0)
        await discord.until(lambda: any(map(painted, world.ada.dms)), 20)
    assert sum(map(painted, world.ada.dms)) == 1


async def test_a_bot_that_was_sent_away_cancels_without_a_word(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=0.3"):
        act = await discord.as_(world.ada).slash("draw", prompt="a fox", steps=8)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        world.kick(world.guild)
        carla = discord.as_(world.carla, world.other_channel)
        other = await carla.slash("draw", prompt="an owl", steps=1)
        await other.until(painted, 20)
    assert not world.ada.dms
