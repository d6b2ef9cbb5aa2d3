"""Bring the catalogues of ``bot/locales`` up to date with the words of the code: ``make locales``.

A catalogue has no dates, no line numbers and one order, so that what changes in it is what somebody translated.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from bot.i18n import FILE, FOLDER, SOURCE, shipped

ROOT = Path(__file__).parents[1]
SOURCES = ("bot", "cogs")
Marked = str | tuple[str, str]
"""A message, or one and many of a thing."""


def marked(source: str) -> Iterator[Marked]:
    """Yield every message of a module: what is in ``N_`` and ``NN_``, and what is said on the spot.

    Raises ``ValueError`` where translators could not be told of a text: one that is put together, or a pair
    that nobody marked as one.
    """
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    elsewhere = any(getattr(call.func, "id", "") == "NN_" for call in calls)
    halves: set[int] = set()
    for call in calls:
        match call:
            case ast.Call(func=ast.Name(id="say_many"), args=[ast.Name(), ast.Name(), *_]) if elsewhere:
                pass
            case ast.Call(func=ast.Name(id="say_many" | "NN_"), args=[one, many, *_]):
                halves |= {id(one), id(many)}
                yield _text(_bare(one)), _text(_bare(many))
            case ast.Call(func=ast.Name(id="say"), args=[ast.Constant() | ast.JoinedStr() as text, *_]):
                yield _text(text)
            case ast.Call(func=ast.Name(id="N_"), args=[text]) if id(call) not in halves:
                yield _text(text)


def _bare(node: ast.expr) -> ast.expr:
    """Return what is marked: a pair's halves are, beside being a pair."""
    match node:
        case ast.Call(func=ast.Name(id="N_"), args=[text]):
            return text
        case _:
            return node


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case _:
            raise ValueError(f"no literal text in line {node.lineno}: {ast.unparse(node)}")


def messages() -> set[Marked]:
    """Return every message of the code; what is a pair somewhere is one everywhere."""
    found: set[Marked] = set()
    for file in (file for folder in SOURCES for file in sorted((ROOT / folder).rglob("*.py"))):
        try:
            found.update(marked(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{file.relative_to(ROOT)}: {error}") from error
    halves = {pair[0] for pair in found if isinstance(pair, tuple)}
    return {message for message in found if message not in halves}


def read(language: str) -> Catalog:
    """Return the catalogue of a language as it is in the folder."""
    return read_po(BytesIO((FOLDER / language / FILE).read_bytes()), locale=language)


def updated(language: str, known: Catalog) -> Catalog:
    """Return the catalogue with every message of the code and no other, each with what ``known`` says of it."""
    made = Catalog(locale=language, project="easel", header_comment=f"# {_name(language)}")
    for message in sorted(messages(), key=first):
        before = known.get(first(message))
        fits = before is not None and before.id == message
        said = before.string if before is not None and fits else None
        made.add(message, said, user_comments=before.user_comments if before is not None else ())
    return made


def written(catalogue: Catalog) -> bytes:
    """Return the file of a catalogue."""
    lines = BytesIO()
    write_po(lines, catalogue, width=0, no_location=True, omit_header=True)
    header = [
        *(catalogue.header_comment.splitlines()),
        'msgid ""',
        'msgstr ""',
        f'"Language: {catalogue.locale_identifier}\\n"',
        *(f'"{name}: {value}\\n"' for name, value in _headers(catalogue)),
    ]
    return "\n".join(header).encode() + b"\n\n" + lines.getvalue().rstrip(b"\n") + b"\n"


def missing(catalogue: Catalog) -> list[Message]:
    """Return what has no words yet, or none for one of its plurals."""
    return [message for message in catalogue if message.id and not all(translations(message))]


def _headers(catalogue: Catalog) -> Iterator[tuple[str, str]]:
    yield "Plural-Forms", catalogue.plural_forms
    yield "MIME-Version", "1.0"
    yield "Content-Type", "text/plain; charset=utf-8"
    yield "Content-Transfer-Encoding", "8bit"


def translations(message: Message) -> tuple[str, ...]:
    """Return a message in its language: one text, or one for each plural form; empty where there is none."""
    said = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return tuple(text or "" for text in said)


def first(message: Marked | Message) -> str:
    """Return the English words, of a pair those for one."""
    texts = message.id if isinstance(message, Message) else message
    return texts if isinstance(texts, str) else texts[0]


def _name(language: str) -> str:
    return Locale.parse(language).get_display_name(SOURCE) or language


def main(languages: list[str]) -> None:
    """Write every catalogue anew, those of new ``languages`` too, and say what is left to translate."""
    for language in sorted({*shipped(), *languages}):
        file = FOLDER / language / FILE
        known = read(language) if file.is_file() else Catalog(locale=language)
        catalogue = updated(language, known)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(written(catalogue))
        left = missing(catalogue)
        sys.stdout.write(f"{language}: {len(catalogue)} messages, {len(left)} without words\n")
        sys.stdout.writelines(f"  {first(message)}\n" for message in left)


if __name__ == "__main__":
    main(sys.argv[1:])
