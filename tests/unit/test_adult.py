"""What asks for adult pictures, and which places may have them."""

import pytest

from bot.domain.adult import Adult, House
from bot.domain.asker import Asker
from bot.domain.errors import DeniedError
from bot.domain.request import PaintRequest
from bot.domain.rules import Rules, matches
from bot.domain.wordrules import Action, Rule, WordRules
from bot.prompting.adult_words import ADULT, CHILDREN, NEVER
from bot.prompting.rewording import Rewording

USUAL = Rewording(WordRules())
EVASIONS = (
    "a n.a.k.e.d woman",
    "N S F W",
    "N-S-F-W",
    "ns\u200bfw",
    "ｎｓｆｗ",
    "p0rn",
    "pоrn star",
    "h e n t a i",
    "a naked, woman",
    "(nud:1.2)ity",
    "masturb4ting",
    "[porn|owl]",
    "an owl, hentaiii",
    "这是色情的",
    "rule34",
)
INNOCENTS = (
    "Essex, Sussex and Middlesex",
    "a sextant",
    "Scunthorpe and Penistone",
    "a cocktail bar with a peacock",
    "breastplate armour",
    "data analysis",
    "a bunch of grapes, a grape",
    "a shuttlecock in the grass",
    "blue tits at a feeder",
    "blue-footed boobies and a boobook owl",
    "Moby Dick and Dick Van Dyke",
    "a therapist for assassins",
    "a pussycat in a pussy willow",
    "title page by Titian",
    "a naked mole rat seen by the naked eye",
    "nude lipstick",
    "a topless car under bare trees",
    "a virgin forest",
    "shiitake mushrooms",
    "a canal boat, analog film",
    "the pen is mightier than the sword",
    "milfoil and nipplewort",
    "a child with a kite",
    "a girl in a red coat",
    "vulgar Volvo, arsenal, raccoon",
)
AGES = (
    "a 12-year-old",
    "9yo",
    "15 y.o.",
    "12 y/o",
    "1 2 y o",
    "a 10 year old girl",
    "17 yrs old",
    "5 years of age",
    "6 months old",
    "Age: 7",
    "aged twelve",
    "at the age of 16",
    "a pretty five year old",
    "1\u200b2 y\u200bo",
    "１２ years old",
    "①② years old",
    "12 yе\u0430rs old",
    "12 y3aaars 0ld",
    "lO yo",
    "(12:1.2) years old",
    "[12|25] years old",
    "eine 12-jährige",
    "zwölfjährige",
    "12 Jahre alt",
    "12 años",
    "doce años",
    "12 ans",
    "12歳",
    "12岁",
    "十二岁",
    "12-летняя",
)
GROWN_UP = (
    "25 years old",
    "18yo, 18 y/o",
    "a 112 years old turtle, a 1000 years old elf",
    "thirty-five years old, twenty one years old",
    "age 18, aged 42",
    "a middle-aged elf, bronze age, 2 women",
    "page 3, stage 4, image 12",
    "12 young women in 7 yoga poses",
    "a woman 12 years older",
    "35mm, f/1.8, 28 year old",
    "achtzehnjährige, fünfundzwanzigjährige, 25 Jahre alt",
    "25 años, 30 ans",
    "二十五岁, 十八岁, 25歳, 天才",
    "1girl, 1boy, a kind woman, a school of fish",
)


@pytest.mark.parametrize("prompt", EVASIONS)
def test_a_usual_word_is_found_however_it_is_spelt(prompt: str) -> None:
    assert USUAL.wish(prompt).adult is not None


@pytest.mark.parametrize("prompt", INNOCENTS)
def test_an_innocent_word_asks_for_nothing(prompt: str) -> None:
    wish = USUAL.wish(prompt)
    assert (wish.adult, wish.forbidden) == (None, False)


@pytest.mark.parametrize(
    "prompt", [*AGES, "k1d", "a sch00l girl", "b\u200ba\u200bby", "f i l l e t t e", "小学生"]
)
def test_a_child_is_told_by_its_age_and_by_words_however_they_are_spelt(prompt: str) -> None:
    assert USUAL.wish(prompt).child
    assert not USUAL.wish(prompt).forbidden


@pytest.mark.parametrize("prompt", GROWN_UP)
def test_other_numbers_are_no_childs_age(prompt: str) -> None:
    assert not USUAL.wish(prompt).child


@pytest.mark.parametrize("prompt", ["a 12 year old whisky", "a baby in a cradle", "school", "a boy, a girl"])
def test_children_by_themselves_ask_for_nothing_adult(prompt: str) -> None:
    wish = USUAL.wish(prompt)
    assert (wish.adult, wish.forbidden) == (None, False)


def test_every_usual_word_finds_itself() -> None:
    assert not [word for word in ADULT if USUAL.wish(word).adult is None]
    assert not [word for word in CHILDREN if not USUAL.wish(f"a {word} there").child]
    assert not [word for word in NEVER if not USUAL.wish(word).forbidden]


def test_a_server_adds_words_and_takes_usual_ones_out() -> None:
    rules = WordRules().having(["fox fur"], Rule(Action.ADULT)).having(["hentai", "loli"], Rule(Action.ALLOW))
    own = Rewording(rules)
    assert own.wish("a lady in f0x fur").adult == "f0x fur"
    assert own.wish("h.e.n.t.a.i").adult is None
    assert own.wish("porn").adult == "porn"
    assert own.wish("loli").forbidden, "no server lets that through"


@pytest.mark.parametrize(
    ("asker", "server", "dms", "allowed"),
    [
        (Asker(1, 2, restricted=True), Adult.RESTRICTED, False, True),
        (Asker(1, 2, restricted=True), Adult.OFF, True, False),
        (Asker(1, 2), Adult.RESTRICTED, True, False),
        (Asker(1), Adult.OFF, False, False),
        (Asker(1), Adult.OFF, True, True),
        (Asker(1, guest=True), Adult.OFF, True, False),
        (Asker(1, guest=True, restricted=True), Adult.OFF, False, True),
    ],
)
def test_discords_flag_decides_and_in_a_server_its_setting_and_in_direct_messages_the_host(
    asker: Asker, server: Adult, dms: bool, allowed: bool
) -> None:
    assert House(adult_dms=dms).allows_adult(asker, server) is allowed


def test_a_model_marked_adult_is_left_out_and_an_open_choice_falls_on_another() -> None:
    rules = Rules(adult=("spicy*", "*nsfw*"))
    models = ("sd/Spicy_v2.safetensors [1a2b3c]", "dream.safetensors", "best-NSFW-mix.ckpt")
    assert rules.among(models) == ("dream.safetensors",)
    assert rules.settled(PaintRequest("a fox", 1), models).model == "dream.safetensors"
    with pytest.raises(DeniedError, match="asks for an adult picture"):
        rules.check("spicy_v3")
    assert matches(("spicy*",), "loras/SPICY hands.safetensors")
