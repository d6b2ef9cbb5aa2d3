from bot.domain.asker import Asker
from bot.domain.job import Origin, Place, State
from bot.domain.request import UpscaleRequest
from bot.ui import queue
from bot.ui.queue import Line, panel
from tests.unit.ui_jobs import ASKER, job

ME = Asker(ASKER)


def lines(line: Line) -> list[str]:
    embed = panel(line, ME, live=True).embed
    assert embed is not None
    return (embed.description or "").splitlines()


def test_the_line_shows_who_and_how_long_and_nobodys_prompt() -> None:
    jobs = [job("a secret", id=1, state=State.RUNNING), job("a secret", id=2), job("a secret", id=3, user=9)]
    assert lines(Line(jobs, {2: Place(1, 1024, 12.0), 3: Place(2, 2048)})) == [
        f"**`0001`  painting  · picture · <@{ASKER}>**",
        f"**`0002`  2nd, about 15 s  · picture · <@{ASKER}>**",
        "`0003`  3rd  · picture · <@9>",
    ]
    assert lines(Line([], {})) == ["Nobody waits here."]


def test_a_line_tells_what_is_made() -> None:
    made = [
        job(id=1, request={"count": 4}),
        job(id=2, spec={"origin": Origin.REMIX}),
        job(id=3, spec={"work": UpscaleRequest("ab" * 32), "origin": Origin.UPSCALE}),
    ]
    told = lines(Line(made, {n: Place(n, 0) for n in (1, 2, 3)}))
    assert [line.split("·")[1].strip() for line in told] == ["picture ×4", "remix", "upscale"]


def test_lanes_are_told_as_one_line_and_ones_own_further_back_are_shown_too() -> None:
    jobs = [job(id=n, user=9 if n < 40 else ASKER) for n in range(1, 42)]
    told = lines(Line(jobs, {n: Place(41 - n if n < 40 else n, 0) for n in range(1, 42)}))
    assert told[0].startswith("`0017`  3rd"), "who is nearest to their turn stands first, whatever the lane"
    assert len(told) == queue.SHOWN + 3
    assert told[queue.SHOWN] == f"… {41 - queue.SHOWN - 2} more …"
    assert [line[:7] for line in told[-2:]] == ["**`0018", "**`0019"]


def test_what_is_hidden_is_counted_where_it_stands() -> None:
    jobs = [job(id=n, user=ASKER if n in {17, 18} else 9) for n in range(1, 21)]
    told = lines(Line(jobs, {n: Place(n, 0) for n in range(1, 21)}))
    assert told[queue.SHOWN] == "… 1 more …"
    assert told[-1] == "… and 2 more"
    mine = lines(Line([job(id=n) for n in range(1, 22)], {n: Place(n, 0) for n in range(1, 22)}))
    assert mine[-1] == "… and 1 more"
    assert not any("more" in line for line in mine[:-1])
