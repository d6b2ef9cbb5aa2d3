"""Explorations as people see them: the command's options, the message in every state, the rows under it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import discord

from bot.domain.codes import code
from bot.domain.errors import GoneError
from bot.domain.job import Job, Sheet, State
from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.prompting.wildcards import literal
from bot.ui import axes, cards, settings_line, values
from bot.ui.buttons import ELSEWHERE, Action, encode
from bot.ui.card import Attachment, Card
from bot.ui.copyable import can_be_typed, settled, written_loras
from bot.ui.failures import failure_text
from bot.ui.options import OPTIONS, PROMPT_LENGTH, Option
from bot.ui.words import ALT_TEXT, cut, escaped, exact, one_line, quoted, result_facts

PREFIX = f"{ELSEWHERE}explore:"
TAKE, AGAIN, SETTINGS = "take", "again", "settings"
_PRESS = re.compile(rf"{PREFIX}(?P<name>{TAKE}|{AGAIN}|{SETTINGS}):(?P<job>[0-9]{{1,18}})")
_ACROSS, _DOWN = "across", "down"
_AXES = (
    Option(_ACROSS, str, N_("What differs from column to column"), suggested=True),
    Option(
        "across_values", str, N_("Its values: 4, 7 or 4..12 step 2; seeds also random*3"), "", lambda _: (1, 1000)
    ),
    Option(_DOWN, str, N_("What differs from row to row"), suggested=True),
    Option(
        "down_values", str, N_("Its values: 4, 7 or 4..12 step 2; seeds also random*3"), "", lambda _: (1, 1000)
    ),
)
_USUAL = (
    "image",
    "negative_prompt",
    "model",
    "size",
    "steps",
    "cfg_scale",
    "sampler",
    "scheduler",
    "seed",
    "lora",
    "preset",
    "style",
    "more",
    "spoiler",
    "private",
)
EXPLORE = (OPTIONS["prompt"], *_AXES, *(OPTIONS[name] for name in _USUAL))
REQUIRED = frozenset({"prompt", _ACROSS, "across_values"})
MOST_NOTES = 6
DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
_LINE = 600
"""Characters of one parameter's values in a message."""
_SAID = frozenset({"prompt", "negative_prompt", "model", "size", "width", "height", "steps", "cfg", "count"}) | {
    *("sampler", "scheduler", "seed", "lora", "style")
}
"""What an option of the command's own says."""
_NEXT_OPTION = re.compile(rf"(?:^|\s)(?:{'|'.join(option.name for option in EXPLORE)}):")


def counted(card: Card, whole: Job, done: int, cells: int, share: float, *, waits: bool) -> Card:
    """Return the message of one cell as that of ``whole``: how many are ``done``, and what ``share`` (0–1)."""
    embed, locale = card.embed, whole.spec.locale
    if embed is None:
        return card
    subject, *lines = (embed.description or "").split("\n")
    # Of one that waits, what its message is about is where it stands; of one at work, a bar of its own.
    status = [embed.title or "", *lines] if waits else lines[1:]
    lines = [*([cards.bar(share)] if done or not waits else []), *status]
    embed.title = say(N_("Exploring · {done} of {all}"), locale, done=done, all=cells)
    embed.description = cut("\n".join((subject, *lines, *parameters(whole.spec.sheet))), DESCRIPTION)
    return card


def finished(
    cells: Sequence[Job],
    author: tuple[str, str] | None,
    file: Attachment,
    notes: Sequence[str] = (),
    *,
    lineage: str | None = None,
    accent: str | None = None,
) -> Card:
    """Return the message that is the result; ``cells`` are all jobs, in order, of which some may have failed."""
    first, locale = cells[0], cells[0].spec.locale
    painted = [cell for cell in cells if cell.result is not None and cell.state not in _NOT_PAINTED]
    results = [note for cell in painted if cell.result for note in cell.result.notes]
    said = [say(note, locale) for note in dict.fromkeys((*results, *notes))]
    small = [*said, *_missing(cells, locale), *([lineage] if lineage else [])][:MOST_NOTES]
    lines = [quoted(first.spec.request.prompt, cards.WAITING_PROMPT), *parameters(first.spec.sheet)]
    lines += [f"-# {cut(line, 300)}" for line in small]
    embed = discord.Embed(colour=cards.colour(accent), description=cut("\n".join(lines), DESCRIPTION))
    embed.set_footer(text=cut(_common(painted), 2048) or None)
    if author is not None:
        embed.set_author(name=cut(one_line(author[0]), 256) or "…", icon_url=author[1])
    if not file.spoiler:
        embed.set_image(url=file.uri)
    return Card(embed=embed, view=_rows(cells, painted), files=(file,))


def failed(whole: Job) -> Card:
    """Return the message of an exploration of which nothing was painted, or nothing is to be seen."""
    if whole.failure is not None and whole.failure.withheld:
        return cards.failed(whole)
    again = _button(whole, AGAIN, N_("Try again"))
    return replace(cards.failed(whole), view=_view(again))


def cancelled(whole: Job) -> Card:
    """Return the message of one that was cancelled before anything was painted."""
    return replace(cards.cancelled(whole), view=_view(_button(whole, AGAIN, N_("Run again"))))


def picture(cells: Sequence[Job], data: bytes, media_type: str) -> Attachment:
    """Return the grid as it is sent."""
    first = cells[0]
    name = cards.attachment(first, 0, b"", media_type).filename
    return Attachment(
        name.replace(f"easel-{first.id}-0.", f"easel-{first.id}-sheet."),
        data,
        description=_alt_text(first),
        spoiler=first.spec.spoiler,
    )


def word(cell: Job) -> str:
    """Return why a cell has no picture."""
    state = {State.FAILED: N_("failed"), State.CANCELLED: N_("cancelled")}.get(cell.state, N_("unreadable"))
    return say(state, cell.spec.locale)


def pressed(custom_id: str) -> tuple[str, int]:
    """Return what was pressed under an exploration, and its first job's id; raises ``GoneError``."""
    found = _PRESS.fullmatch(custom_id)
    if found is None:
        raise GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /explore"))
    return found["name"], int(found["job"])


def settings(cells: Sequence[Job], locale: str) -> Card:
    """Return the command that explores the same again, to be copied whole; a long one is a text file."""
    command = command_line(cells[0])
    block = f"```\n{command}\n```"
    if "```" not in command and len(block) <= cards.CONTENT:
        return Card(content=block)
    file = Attachment(f"easel-{cells[0].id}-settings.txt", command.encode())
    return Card(content=say(N_("The command is long: it is in the file."), locale), files=(file,))


def command_line(first: Job) -> str:
    """Return the same in one line; ``first`` is the first cell, which has the first value of both parameters."""
    sheet = first.spec.sheet
    if sheet is None:
        raise LookupError(first.id)
    facts = dict(_facts(first, sheet))
    typed = {
        name: text
        for name, text in facts.items()
        if can_be_typed(name, text) and len(text) <= PROMPT_LENGTH and not _NEXT_OPTION.search(text)
    }
    if typed != facts or first.spec.request.images():
        like = f"like {code(first.id)}"
        typed["more"] = values.SEPARATOR.join(filter(None, (typed.get("more"), like)))
    return " ".join(["/explore", *(f"{each.name}:{typed[each.name]}" for each in EXPLORE if each.name in typed)])


def _facts(first: Job, sheet: Sheet) -> Iterator[tuple[str, str]]:
    request, explored = first.spec.request, frozenset({sheet.across, sheet.down})
    options = settings_line.without(settled(request), explored - {axes.PROMPT, axes.LORA})
    yield "prompt", first.spec.template or literal(request.prompt)
    yield from _axes_facts(sheet)
    sides = explored & {"size", "width", "height"}
    if not sides:
        yield "size", f"{request.width}x{request.height}"
    if "size" in sides:
        options = replace(options, width=None, height=None)
    for name in ("negative_prompt", "model", "steps", "cfg_scale", "sampler", "scheduler", "seed"):
        value = getattr(options, name)
        if value not in {None, ""}:
            yield name, exact(value) if isinstance(value, float) else str(value)
    if options.loras:
        yield "lora", written_loras(options)
    if options.styles:
        yield "style", ", ".join(values.quoted(name, ",") for name in options.styles)
    # Where one side is explored, only the line has the other one.
    if more := settings_line.write(options, without=_SAID - {"width", "height"} if sides else _SAID):
        yield "more", more
    if first.spec.spoiler:
        yield "spoiler", "True"


def _axes_facts(sheet: Sheet) -> Iterator[tuple[str, str]]:
    for option, name, labels in ((_ACROSS, sheet.across, sheet.columns), (_DOWN, sheet.down, sheet.rows)):
        if name:
            raw = name in axes.SETTING_OF and axes.SETTING_OF[name].raw
            yield option, name
            yield f"{option}_values", ", ".join(label if raw else values.quoted(label, ",") for label in labels)


_NOT_PAINTED = frozenset({State.FAILED, State.CANCELLED})


def parameters(sheet: Sheet | None) -> list[str]:
    """Return both parameters with their values, a line each."""
    if sheet is None:
        return []
    both = (("→", sheet.across, sheet.columns), ("↓", sheet.down, sheet.rows))
    return [
        f"{arrow} **{name}** {escaped(cut(one_line(' · '.join(labels)), _LINE))}"
        for arrow, name, labels in both
        if name
    ]


def _missing(cells: Sequence[Job], locale: str) -> Iterator[str]:
    """Yield how many cells have no picture, and why."""
    failures = [cell.failure for cell in cells if cell.state is State.FAILED and cell.failure]
    if failures:
        count = say_many(N_("{count} failed"), N_("{count} failed"), len(failures), locale)
        yield f"{count}: {one_line(failure_text(failures[0], locale))}"
    stopped = sum(cell.state is State.CANCELLED for cell in cells)
    if stopped:
        yield say_many(N_("{count} was cancelled"), N_("{count} were cancelled"), stopped, locale)


def _common(painted: Sequence[Job]) -> str:
    """Return the facts that all pictures have in common, in one line."""
    # The last one is how long it took.
    facts = [result_facts(cell, cell.result).split(" · ")[:-1] for cell in painted if cell.result]
    return " · ".join(reduce(lambda one, other: [fact for fact in one if fact in other], facts)) if facts else ""


def _alt_text(first: Job) -> str:
    sheet, locale = first.spec.sheet, first.spec.locale
    if sheet is None:
        return ""
    columns, rows = (cut(one_line(", ".join(labels)), 250) for labels in (sheet.columns, sheet.rows))
    across = say(N_("Columns, {name}: {values}."), locale, name=sheet.across, values=columns)
    down = say(N_("Rows, {name}: {values}."), locale, name=sheet.down, values=rows) if sheet.down else ""
    prompt = say(N_("Prompt: {prompt}"), locale, prompt=one_line(first.spec.request.prompt))
    return cut(" ".join(filter(None, (say(N_("A grid of pictures."), locale), across, down, prompt))), ALT_TEXT)


def label(cell: Job) -> str:
    """Return a cell's values as people read them."""
    sheet = cell.spec.sheet
    if sheet is None:
        return ""
    row, column = divmod(sheet.index, len(sheet.columns))
    return " · ".join(filter(None, (sheet.columns[column], sheet.rows[row])))


def _rows(cells: Sequence[Job], painted: Sequence[Job]) -> discord.ui.View:
    first, locale = cells[0], cells[0].spec.locale
    again = _button(first, AGAIN, N_("Reroll"), "🔁")
    told = _button(first, SETTINGS, N_("Settings"), "ℹ️")
    delete = _button(first, SETTINGS, N_("Delete"), "🗑️")
    delete.custom_id = encode(Action.DELETE, first.id)
    options = [
        discord.SelectOption(label=cut(one_line(label(cell)), 100) or str(i), value=str(cell.id))
        for i, cell in enumerate(painted, start=1)
    ]
    menu: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id=f"{PREFIX}{TAKE}:{first.id}", placeholder=say(N_("Take one"), locale), options=options, row=1
    )
    return _view(again, told, delete, menu)


def _button(job: Job, name: str, words: str, emoji: str | None = None) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(
        style=discord.ButtonStyle.secondary,
        label=say(words, job.spec.locale)[:80],
        emoji=emoji,
        custom_id=f"{PREFIX}{name}:{job.id}",
        row=0,
    )


def _view(*items: discord.ui.Item[discord.ui.View]) -> discord.ui.View:
    """Return a view that is only drawn: presses are found by their id, so discord.py must not keep it."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
