"""The two parameters of an exploration: which there are, and how their values are written."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.domain.capability import Feature
from bot.domain.errors import LimitError, RequestError
from bot.domain.options import Options
from bot.domain.request import Lora
from bot.domain.searching import matches
from bot.domain.text import N_
from bot.services.explorations import MAX_CELLS, SEED, Plan
from bot.ui import values
from bot.ui.settings import SETTINGS, Setting, Typed
from bot.ui.settings_line import Chosen
from bot.ui.words import cut, exact

PROMPT, LORA = "prompt", "lora"
_NO_AXES = frozenset({"count", "detail", "preset", "like", "spoiler", "private"})
SETTING_OF = {
    setting.name: setting
    for setting in SETTINGS
    if setting.name not in _NO_AXES and not setting.target.startswith("details[]")
}
"""Every parameter that has one value at a time; of a prompt, words in it; of LoRAs, one of them."""
_NEAREST = 4
_USUAL = ("steps", "cfg", "sampler", "seed")
_NUMBER = r"[-+]?\d{1,10}(?:\.\d{1,6})?"
_RANGE = re.compile(
    rf"(?P<first>{_NUMBER})\s*(?:\.\.|-|–|to)\s*(?P<last>{_NUMBER})"
    rf"(?:\s*(?::|step)\s*(?P<step>\d{{1,10}}(?:\.\d{{1,6}})?))?"
)
_RANDOM = re.compile(r"random(?:\s*[*x×]\s*(?P<times>\d{1,4}))?", re.IGNORECASE)
_WEIGHT = re.compile(_NUMBER)


@dataclass(frozen=True, slots=True)
class Value:
    """One value: as people read it, and what it makes of what was typed."""

    label: str
    change: Callable[[Typed], Typed]


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter with its values."""

    name: str = ""
    values: tuple[Value, ...] = (Value("", lambda typed: typed),)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what stands at the rows or columns."""
        return tuple(value.label for value in self.values)


def plan(typed: Typed, across: Axis, down: Axis) -> Plan:
    """Return every cell of a grid; raises ``RequestError`` where nothing is to be compared."""
    if across.name == down.name != PROMPT:
        raise RequestError(
            N_("{option} cannot be both parameters."), N_("Choose another one for “down”."), option=across.name
        )
    if len(across.values) * len(down.values) == 1:
        raise RequestError(
            N_("There is only one value."),
            N_("Write at least two, with commas between: {example}"),
            example="4, 7",
        )
    cells = [column.change(row.change(typed)) for row in down.values for column in across.values]
    return Plan(
        across.name,
        across.labels,
        down.name,
        down.labels,
        tuple((cell.prompt, cell.options) for cell in cells),
    )


def axis(name: str, text: str, typed: Typed, draw_seed: Callable[[], int]) -> Axis:
    """Return a parameter with the values of ``text``: ``4, 7``, ``4..12 step 2``, ``1-10:3`` or ``random*3``.

    Raises ``RequestError`` naming what says nothing.
    """
    setting = SETTING_OF.get(name.strip().lower())
    if setting is None:
        raise RequestError(
            N_("“{name}” cannot be explored."),
            N_("Choose one like these: {known}. More are shown while you type."),
            name=cut(name, 100),
            known=", ".join(matches(name, list(SETTING_OF), most=_NEAREST) or _USUAL),
        )
    items = list(_spread(setting, values.items(text), draw_seed))
    if setting.name == PROMPT:
        made = _words([values.unquoted(item) for item in items], typed)
    elif setting.name == LORA:
        made = [_lora(item, typed) for item in items]
    else:
        made = [_value(setting, item) for item in items]
    found = {value.label: value for value in made}
    if not found:
        raise RequestError(
            N_("There are no values for {option}."),
            N_("Write them with commas between: {example}"),
            option=setting.name,
            example="4, 7",
        )
    return Axis(setting.name, tuple(found.values()))


def names(typed: str, offers: Callable[[Feature], bool]) -> list[str]:
    """Return the parameters whose names have ``typed`` in them, as far as a backend can do something with them."""
    able = (each for each in SETTING_OF.values() if each.feature is None or offers(each.feature))
    return [each.name for each in able if typed.strip().lower() in each.name]


def examples(setting: Setting) -> tuple[str, ...]:
    """Return ways of writing values of a parameter that has no list of names."""
    if setting.name == SEED:
        return ("random*3", "random*5", "1-5")
    if setting.name == PROMPT:
        return ("red, blue, green",)
    if setting.known:
        return tuple(setting.known)
    return {"steps": ("10..40 step 10",), "cfg": ("4..12 step 2",)}.get(
        setting.name, ("0.2..1 step 0.2",) if "strength" in setting.name else ()
    )


def _value(setting: Setting, item: str) -> Value:
    read = setting.read(setting.name, item if setting.raw else values.unquoted(item))
    chosen = Chosen()
    chosen.take(setting, read)
    options = chosen.typed().options

    def change(typed: Typed) -> Typed:
        return replace(typed, options=options.over(_cleared(setting, typed.options)))

    return Value(_label(setting, read), change)


def _label(setting: Setting, value: object) -> str:
    several = value if isinstance(value, tuple) else (value,)
    return ("×" if setting.name == "size" else ", ").join(setting.write(each) for each in several)


def _cleared(setting: Setting, options: Options) -> Options:
    """Return ``options`` without another way to say the same."""
    if setting.name == "size":
        return replace(options, shape=None, width=None, height=None)
    return options


def _words(words: Sequence[str], typed: Typed) -> list[Value]:
    """Return values that put each of ``words`` in the place of the first one in the prompt."""
    first = words[0] if words else ""
    if first not in typed.prompt or not first:
        raise RequestError(
            N_("“{words}” is not in the prompt."),
            N_("Write first what stands in the prompt, then what to put there instead: {example}"),
            words=cut(first, 100),
            example="red, blue, green",
        )

    def put(word: str) -> Callable[[Typed], Typed]:
        return lambda each: replace(each, prompt=each.prompt.replace(first, word))

    return [Value(word, put(word)) for word in words]


def _lora(item: str, typed: Typed) -> Value:
    """Return a value that adds a LoRA, or weighs it otherwise; a bare number weighs the one that was typed."""
    known = typed.options.loras or ()
    if _WEIGHT.fullmatch(item) and len(known) == 1:
        item = f"{values.quoted(known[0].name, ',')}:{item}"
    [lora] = values.loras(LORA, item)

    def change(each: Typed) -> Typed:
        others = tuple(other for other in each.options.loras or () if other.name != lora.name)
        return replace(each, options=replace(each.options, loras=(*others, lora)))

    return Value(_weighed(lora), change)


def _weighed(lora: Lora) -> str:
    return f"{lora.name}:{exact(lora.weight)}"


def _spread(setting: Setting, items: Iterable[str], draw_seed: Callable[[], int]) -> Iterator[str]:
    """Yield single values, those of ranges too."""
    numeric = setting.read in {values.number, values.integer} or setting.name == LORA
    for item in items:
        if setting.name == SEED and (found := _RANDOM.fullmatch(item)):
            times = _counted(int(found["times"] or 1))
            yield from (str(draw_seed()) for _ in range(times))
        elif setting.read in {values.number, values.integer} and _RANDOM.fullmatch(item):
            raise RequestError(
                N_("Only seeds are drawn at random."),
                N_("Write {option} like this: {example}"),
                option=setting.name,
                example="4, 7",
            )
        elif numeric and (found := _RANGE.fullmatch(item)):
            first, last, step = (Decimal(found[name] or 1) for name in ("first", "last", "step"))
            yield from _range(setting, first, last, step)
        else:
            yield item


def _range(setting: Setting, first: Decimal, last: Decimal, step: Decimal) -> Iterator[str]:
    if not step:
        raise RequestError(
            N_("A step of 0 leads nowhere."),
            N_("Write {option} like this: {example}"),
            option=setting.name,
            example="4..12 step 2",
        )
    count = _counted(int(abs(last - first) / step) + 1)
    yield from (f"{(first + step * i if last >= first else first - step * i).normalize():f}" for i in range(count))


def _counted(count: int) -> int:
    if count > MAX_CELLS:
        raise LimitError(
            N_("That would be {count} pictures."),
            N_("Choose fewer values: at most {max} pictures fit in one grid."),
            count=count,
            max=MAX_CELLS,
        )
    return count
