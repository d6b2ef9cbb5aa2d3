"""How work on finished pictures is shown: what is being done, what came of it, what a picture told by itself."""

from collections.abc import Mapping, Sequence

import discord

from bot.domain.capability import Feature
from bot.domain.job import Job, Result
from bot.domain.request import CutoutRequest, DescribeRequest, PaintRequest, UpscaleRequest, Work
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import modals
from bot.ui.buttons import ELSEWHERE, Action, encode
from bot.ui.card import Attachment, Card
from bot.ui.copyable import command_line, made_by
from bot.ui.failures import GREEN
from bot.ui.words import cut, model_name, number, one_line, quoted, taken

PREFIX = f"{ELSEWHERE}describe:"
PAINT_FORM = f"{PREFIX}paint"
CAPTION = 2000
"""Characters of a description shown: taggers may list hundreds of words."""
RECIPE_PROMPT = 300
CONTENT = 2000
"""Characters in a message's own text (Discord docs, Create Message)."""
_SPOILER = "s"
_DOING: Mapping[type[Work], str] = {
    UpscaleRequest: N_("Upscaling"),
    CutoutRequest: N_("Cutting out"),
    DescribeRequest: N_("Describing"),
}
_NOT_DONE: Mapping[type[Work], str] = {
    UpscaleRequest: N_("Not upscaled"),
    CutoutRequest: N_("Not cut out"),
    DescribeRequest: N_("Not described"),
}
_NO_WORDS: Mapping[type[Work], str] = {
    UpscaleRequest: N_("A picture, upscaled"),
    CutoutRequest: N_("A picture without its background"),
    DescribeRequest: N_("A picture, to be described"),
}


def doing(job: Job) -> str:
    """Return the title of a job at work."""
    return N_("Painting") if job.spec.work is None else _DOING[type(job.spec.work)]


def not_done(job: Job) -> str:
    """Return the title of a job that failed."""
    return N_("Not painted") if job.spec.work is None else _NOT_DONE[type(job.spec.work)]


def subject(job: Job, limit: int) -> str:
    """Return what a job's message is about in one line: the prompt, or what is done where nobody knows it."""
    prompt = job.spec.request.prompt
    if job.spec.work is None or prompt:
        return quoted(prompt, limit)
    return say(_NO_WORDS[type(job.spec.work)], job.spec.locale)


def alt_words(job: Job) -> str | None:
    """Return what a screen reader says of a picture without a prompt."""
    if job.spec.work is None or job.spec.request.prompt:
        return None
    return say(_NO_WORDS[type(job.spec.work)], job.spec.locale)


def order_facts(work: Work, locale: str) -> str:
    """Return what is to be done in one line."""
    match work:
        case UpscaleRequest():
            size = f"{work.width}×{work.height}" if work.width else None
            grown = (int(work.width * work.scale), int(work.height * work.scale))
            return _line(size and f"{size} → {grown[0]}×{grown[1]}", *_upscaler_facts(work))
        case CutoutRequest():
            return _line(say(Feature.CUTOUT.value, locale), work.model and cut(work.model, 60))
        case _:
            return _line(say(Feature.INTERROGATE.value, locale), work.model and cut(work.model, 60))


def result_facts(job: Job, work: Work, result: Result) -> str:
    """Return what came of it in one line: the picture's seed and model if they are known, then what was done."""
    locale, picture = job.spec.locale, next(iter(result.pictures), None)
    seconds = taken(result.seconds, locale)
    if picture is None:
        looked = work.model if isinstance(work, DescribeRequest) else None
        return _line(looked and cut(looked, 60), seconds)
    known, model = bool(picture.infotext), job.spec.request.model
    done = _upscaler_facts(work) if isinstance(work, UpscaleRequest) else (order_facts(work, locale),)
    return _line(
        say(N_("seed {seed}"), locale, seed=str(picture.seed)) if known else None,
        model_name(model) if model else None,
        f"{picture.width}×{picture.height}",
        *done,
        seconds,
    )


def described(job: Job, result: Result, author: tuple[str, str] | None, preview: bytes | None = None) -> Card:
    """Return the message of a description; ``preview`` is a small WebP of the picture, its thumbnail."""
    locale, caption = job.spec.locale, result.caption or ""
    words = quoted(caption, CAPTION) if caption else say(N_("It found no words."), locale)
    embed = discord.Embed(colour=GREEN, description=words)
    embed.set_footer(text=result_facts(job, job.spec.work or DescribeRequest(""), result))
    if author is not None:
        embed.set_author(name=cut(one_line(author[0]), 256) or "…", icon_url=author[1])
    files: tuple[Attachment, ...] = ()
    if preview is not None and not job.spec.spoiler:
        files = (Attachment("picture.webp", preview, cut(caption, 1000)),)
        embed.set_thumbnail(url=files[0].uri)
    delete = _button(encode(Action.DELETE, job.id), N_("Delete"), locale, "🗑️")
    draw = _button(f"{PREFIX}caption:{job.id}", N_("Draw this"), locale, "✏️")
    return Card(embed=embed, view=_view(*([draw] if caption else []), delete), files=files)


def recipe(
    request: PaintRequest,
    blob: str,
    locale: str,
    *,
    of: Job | None = None,
    spoiler: bool = False,
    describes: bool = True,
) -> Card:
    """Return what a picture told of itself, as the command that paints it; a long one is a text file.

    ``blob`` is the picture, ``of`` the job that made it, or else it is some file; ``describes``: a backend could
    say in words what is to be seen on it.
    """
    command = command_line(request, None if of is None else made_by(of))
    files: tuple[Attachment, ...] = ()
    block = f"```\n{command}\n```"
    if "```" in command or len(block) > CONTENT:
        files = (Attachment("easel-recipe.txt", command.encode()),)
        block = say(N_("The command is long: it is in the file."), locale)
    title = say(N_("Read from the file") if of is None else N_("How it was painted"), locale)
    embed = discord.Embed(colour=GREEN, description=quoted(request.prompt, RECIPE_PROMPT), title=title)
    mark = f":{_SPOILER}" if spoiler else ""
    buttons = [_button(f"{PREFIX}draw:{blob}{mark}", N_("Draw this"), locale, "✏️")]
    if describes:
        buttons.append(_button(f"{PREFIX}words:{blob}{mark}", N_("Describe in words"), locale))
    return Card(content=block, embed=embed, view=_view(*buttons), files=files)


def draw_form(request: PaintRequest, locale: str, *, seed: bool = True, spoiler: bool = False) -> discord.ui.Modal:
    """Return the form that paints ``request``, with its seed or with a new one; a ``spoiler`` stays one."""
    custom_id = f"{PAINT_FORM}:recipe:{_SPOILER}" if spoiler else PAINT_FORM
    return modals.form(custom_id, say(N_("Draw this"), locale), request, locale, seed=seed)


def pressed(custom_id: str) -> tuple[str, str, bool]:
    """Return which button of a description was pressed, on what, and whether that is a spoiler."""
    name, _, rest = custom_id.removeprefix(PREFIX).partition(":")
    on, _, mark = rest.partition(":")
    return name, on, mark == _SPOILER


def done_note(work: Work, locale: str) -> str:
    """Return the line under the copyable command of a picture that says what was done to it since."""
    match work:
        case UpscaleRequest():
            options = {
                "scale": f"{work.scale:g}",
                "upscaler": work.upscaler,
                "second": work.second,
                "second_share": f"{work.second_share:g}" if work.second else None,
                "face_fix": "GFPGAN" if work.gfpgan else "CodeFormer" if work.codeformer else None,
            }
            line = " ".join(f"{key}:{one_line(value)}" for key, value in options.items() if value)
            command = f"/upscale {line}"
        case CutoutRequest():
            command = "/cutout" if work.model is None else f"/cutout model:{one_line(work.model)}"
        case _:
            return ""
    return say(N_("Then: {command}"), locale, command=f"`{command.replace('`', '')}`")


def unknown_words(work: Work, locale: str) -> str:
    """Return what Settings say of a picture that nobody knows the recipe of."""
    words = (say(N_("Nobody knows how this picture was painted."), locale), done_note(work, locale))
    return cut("\n".join(words), CONTENT)


def _upscaler_facts(work: UpscaleRequest) -> Sequence[str | None]:
    face_fix = "GFPGAN" if work.gfpgan else "CodeFormer" if work.codeformer else None
    names = " + ".join(cut(one_line(name), 60) for name in (work.upscaler, work.second) if name)
    return (f"×{number(work.scale)}", names, face_fix)


def _line(*facts: str | None) -> str:
    return " · ".join(fact for fact in facts if fact)


def _button(
    custom_id: str, label: str, locale: str, emoji: str | None = None
) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(
        style=discord.ButtonStyle.secondary, label=say(label, locale)[:80], emoji=emoji, custom_id=custom_id
    )


def _view(*items: discord.ui.Item[discord.ui.View]) -> discord.ui.View:
    """Return a view that is only drawn: presses are found by their id, so discord.py must not keep it."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
