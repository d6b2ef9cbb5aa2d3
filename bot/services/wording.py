"""Servers' word rules: kept, as a file, and the one gate that every order's prompts pass."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError, LimitError, RequestError
from bot.domain.request import PaintRequest
from bot.domain.text import N_
from bot.domain.wordrules import MAX_WORD, MAX_WORDS, Action, Rule, WordRules, normal
from bot.prompting.lexicon import Lexicon
from bot.prompting.rewording import Reworded, Rewording, Wish
from bot.services.bounded import Bounded, entries, items
from bot.services.preferences import WORDS, Preferences, Scope, Values

MAX_FILE_BYTES = 512 * 1024
"""Enough for as many words as there may be, as long as they may be."""
_READ = 10 * MAX_WORDS
"""Words of one kind that are read of a file, if only to be told that they are too many."""
_READY = 200
"""Servers whose rules stay ready in memory."""
_SHOWN = 100
"""Characters of a denied part that are repeated."""
_BETWEEN = re.compile(r"[,;\n，、；]")
_USUAL = Rewording(WordRules())
"""What holds where no rules are kept."""


def _one_line(word: str) -> str:
    return " ".join(word.split())


_Word = Annotated[str, AfterValidator(normal)]
_Words = Annotated[list[_Word], items(_READ)]


class WordsFile(Bounded):
    """A server's rules for words as they are written in files."""

    deny: _Words = Field([])
    replace: Annotated[dict[_Word, Annotated[str, AfterValidator(_one_line)]], entries(_READ)] = Field({})
    strip: _Words = Field([])
    allow: _Words = Field([])
    adult: _Words = Field([])


class Wording:
    """Reads and keeps what ``preferences`` hold of word rules, and holds orders to them."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._ready: OrderedDict[int, tuple[str, Rewording]] = OrderedDict()

    async def rules(self, guild_id: int) -> WordRules:
        """Return a server's rules."""
        return read(await self._kept(guild_id))

    async def set(self, guild_id: int, words: Iterable[str], rule: Rule) -> WordRules:
        """Give ``words`` this rule and return all rules; raises ``RequestError`` for what cannot be one."""
        return await self._change(guild_id, lambda rules: rules.having(words, rule))

    async def remove(self, guild_id: int, words: Iterable[str]) -> WordRules:
        """Take the rules for ``words`` back and return the rest; raises ``RequestError`` if one has none."""
        gone = tuple(words)

        def left(rules: WordRules) -> WordRules:
            if strange := next((word for word in gone if word not in rules.words), None):
                raise RequestError(
                    N_("There is no rule for “{word}”."), N_("See the rules: /words show"), word=strange[:MAX_WORD]
                )
            return rules.without(gone)

        return await self._change(guild_id, left)

    async def replace(self, guild_id: int, rules: WordRules) -> None:
        """Put ``rules`` in the place of all that a server has; raises ``RequestError`` as ``set`` does."""
        await self._change(guild_id, lambda _: rules)

    async def tried(self, guild_id: int, text: str) -> tuple[Reworded, Wish]:
        """Return what would become of a prompt, and what that asks for."""
        rewording = await self._rewording(guild_id) or _USUAL
        reworded = await asyncio.to_thread(rewording.applied, text)
        return reworded, await asyncio.to_thread(rewording.wish, reworded.text)

    async def wish(self, asker: Asker, request: PaintRequest, *, template: str | None) -> Wish:
        """Return what an order in settled words asks for, of all that was to be drawn from too.

        What it is to keep out, the negative prompts, asks for nothing.
        """
        rewording = None if asker.guild_id is None else await self._rewording(asker.guild_id)
        details = (detail.prompt for detail in request.details)
        text = "\n".join(filter(None, (request.prompt, template, *details)))
        return await asyncio.to_thread((rewording or _USUAL).wish, text)

    async def settled(
        self, asker: Asker, request: PaintRequest, *, template: str | None, trusted: str | None
    ) -> PaintRequest:
        """Return an order in words that are allowed where ``asker`` is.

        ``template`` is the prompt before anything was drawn for it. ``trusted`` is the negative prompt that stands
        there by an admin's or the host's word, and is left alone. Raises ``DeniedError`` in words.
        """
        rewording = None if asker.guild_id is None else await self._rewording(asker.guild_id)
        if rewording is None:
            return request
        return await asyncio.to_thread(_settled, rewording, request, template, trusted or "")

    async def _rewording(self, guild_id: int) -> Rewording | None:
        kept = await self._kept(guild_id)
        if not kept:
            return None
        known = self._ready.get(guild_id)
        if known is None or known[0] != kept:
            known = (kept, await asyncio.to_thread(lambda: Rewording(read(kept))))
            self._ready[guild_id] = known
        self._ready.move_to_end(guild_id)
        while len(self._ready) > _READY:
            self._ready.popitem(last=False)
        return known[1]

    async def _kept(self, guild_id: int) -> str:
        return _text(await self._preferences.values(Scope.SERVER, guild_id))

    async def _change(self, guild_id: int, change: Callable[[WordRules], WordRules]) -> WordRules:
        async def changed(kept: Values) -> Values:
            return {WORDS: await written(change(read(_text(kept))))}

        _, kept = await self._preferences.change(Scope.SERVER, guild_id, changed)
        return read(_text(kept))


def _text(kept: Values) -> str:
    return str(kept.get(WORDS, ""))


async def written(rules: WordRules) -> str | None:
    """Return rules as they are kept, ``None`` for none; raises ``RequestError`` for what cannot be one."""
    await asyncio.to_thread(_check, rules)
    return exported(rules).decode() if rules.words else None


def differ(one: PaintRequest, other: PaintRequest) -> bool:
    """Return whether two orders are in different words."""
    prompts = ((each.prompt, each.negative_prompt, each.details) for each in (one, other))
    return next(prompts) != next(prompts)


def listed(typed: str) -> tuple[str, ...]:
    """Return the words and phrases of a typed list; raises ``RequestError`` if there is none."""
    words = tuple(dict.fromkeys(filter(None, map(normal, _BETWEEN.split(typed)))))
    if not words:
        raise RequestError(N_("There is no word in it."), N_("Write words or phrases, with commas between them."))
    return words


def exported(rules: WordRules) -> bytes:
    """Return rules as a file that ``imported`` reads; raises ``RequestError`` if there are none."""
    if not rules.words:
        raise RequestError(N_("There are no rules for words here."), N_("Make one: /words deny"))
    return filed(rules).model_dump_json(indent=1, exclude_defaults=True).encode()


def filed(rules: WordRules) -> WordsFile:
    """Return rules as they are written in a file."""
    return WordsFile(
        deny=list(rules.of(Action.DENY)),
        replace={word: rules.words[word].by for word in rules.of(Action.REPLACE)},
        strip=list(rules.of(Action.STRIP)),
        allow=list(rules.of(Action.ALLOW)),
        adult=list(rules.of(Action.ADULT)),
    )


def imported(data: bytes) -> WordRules:
    """Read a file of rules; raises ``RequestError`` that names the first thing wrong."""
    try:
        return ruled(WordsFile.model_validate_json(data))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise RequestError(
            N_("That is no file of rules for words: “{where}” does not fit."),
            N_("See how one is written: /words export"),
            where=".".join(map(str, first["loc"]))[:200] or "file",
        ) from error


def read(kept: str) -> WordRules:
    """Return rules as they were kept."""
    try:
        return ruled(WordsFile.model_validate_json(kept)) if kept else WordRules()
    except ValidationError:
        # What another version kept must never stop a command.
        return WordRules()


def ruled(file: WordsFile) -> WordRules:
    """Return the rules of a file."""
    rules = WordRules({word: Rule(Action.REPLACE, by) for word, by in file.replace.items()})
    for words, action in (
        (file.adult, Action.ADULT),
        (file.strip, Action.STRIP),
        (file.deny, Action.DENY),
        (file.allow, Action.ALLOW),
    ):
        rules = rules.having(words, Rule(action))
    return rules


def _check(rules: WordRules) -> None:
    if len(rules.words) > MAX_WORDS:
        raise LimitError(
            N_("That would be {count} words."), N_("Keep at most {max}."), count=len(rules.words), max=MAX_WORDS
        )
    for word, rule in rules.words.items():
        for text in (word, rule.by):
            if len(text) > MAX_WORD:
                raise LimitError(
                    N_("“{word}” is too long."),
                    N_("Use at most {max} characters."),
                    word=text[:MAX_WORD],
                    max=MAX_WORD,
                )
        if not Lexicon([word]):
            raise RequestError(N_("“{word}” has no letters to look for."), N_("Write it in letters."), word=word)
        if rule.action is Action.REPLACE and not rule.by:
            raise RequestError(
                N_("Nothing is to replace “{word}”."), N_("To leave it out: /words strip"), word=word
            )
    if clash := Rewording(rules).clashing():
        raise RequestError(
            N_("“{by}”, which is to replace “{word}”, is ruled out itself."),
            N_("Choose another word for it, or take one of the rules back: /words remove"),
            word=clash[0],
            by=clash[1],
        )


def _settled(rewording: Rewording, request: PaintRequest, template: str | None, trusted: str) -> PaintRequest:
    def held(text: str) -> str:
        found = rewording.applied(text) if text else Reworded(text)
        if found.denied is not None:
            raise _denied(found.denied)
        return found.text

    if template is not None and (denied := rewording.denied(template)) is not None:
        raise _denied(denied)
    details = tuple(
        replace(each, prompt=held(each.prompt), negative_prompt=held(each.negative_prompt))
        for each in request.details
    )
    own, theirs, more = _apart(request.negative_prompt, trusted)
    negative = f"{held(own)}{theirs}{held(more)}"
    prompt = held(request.prompt)
    if request.prompt.strip() and not prompt.strip():
        raise DeniedError(
            N_("This server's rules for words leave nothing of the prompt."), N_("Say it in other words.")
        )
    return replace(request, prompt=prompt, negative_prompt=negative, details=details)


def _apart(text: str, trusted: str) -> tuple[str, str, str]:
    """Return what stands before and behind ``trusted`` words, unless they are part of others there."""
    before, found, behind = text.partition(trusted) if trusted else (text, "", "")
    if before[-1:].isalnum() or behind[:1].isalnum():
        return text, "", ""
    return before, found, behind


def _denied(part: str) -> DeniedError:
    return DeniedError(
        N_("“{part}” is not allowed in prompts in this server."),
        N_("Leave it out and ask again."),
        part=" ".join(part.split())[:_SHOWN],
    )
