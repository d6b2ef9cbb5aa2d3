"""Words that ask for adult pictures wherever they stand: only those that mean nothing else.

What has a harmless meaning too (nude, a colour; topless, a car) is listed with the word that settles it. A server
adds its own by ``/words adult``, and takes one of these out by any other rule for it.
"""

from itertools import product

_BODIES = ("body", "bodies", "female", "females", "girl", "girls", "lady", "ladies", "male", "males", "man", "men")
_BARE = ("naked", "nude", "topless", "undressed")
_PHRASES = product(_BARE, (*_BODIES, "woman", "women"))


def _listed(words: str) -> frozenset[str]:
    return frozenset(" ".join(word.split()) for word in words.split(","))


ADULT = frozenset(" ".join(pair) for pair in _PHRASES) | _listed(
    """
    anal sex, ball gag, bare nipples, bdsm, blow job, blow jobs, blowjob, blowjobs, boobs, bukkake, butt plug,
    buttplug, clitoris, cumshot, cumshots, cunnilingus, cunt, deepthroat, dildo, dildos, doggystyle, ejaculate,
    ejaculating, ejaculation, erotica, exposed breasts, exposed nipples, fellatio, fully naked, fully nude,
    futanari, gangbang, genitalia, genitals, group sex, handjob, handjobs, having sex, hentai, masturbate,
    masturbates, masturbating, masturbation, milf, nsfw, nudity, oral sex, orgasm, orgasming, orgasms, penis,
    penises, porn, porno, pornographic, pornography, pornstar, pubic hair, rule 34, rule34, sex act, sex doll,
    sex scene, sex toy, sex toys, sexual act, sexual intercourse, spread pussy, titties, upskirt, vagina,
    vaginal, vaginas, vulva, vulvas, geschlechtsverkehr, nackte frau, nackte frauen, nackter mann, nacktbild,
    nacktbilder, femme nue, mujer desnuda, pornografia, pornografie, pornographie, порно, порнография, 色情,
    裸照, 性交, ポルノ, エロ画像
    """
)
CHILDREN = _listed(
    """
    child, children, infant, infants, kid, kids, little boy, little girl, middle schooler, preteen, preteens,
    pre teen, prepubescent, schoolboy, schoolboys, schoolgirl, schoolgirls, teen, teenage, teenager, teenagers,
    teens, toddler, toddlers, tween, tweens, underage, under age, young boy, young boys, young girl,
    young girls, kleines kind, kleines mädchen, enfant, enfants, niña, niñas, niño, niños, ребенок, дети, 儿童,
    小孩, 幼女, 萝莉, 子供, 少女, 女児
    """
)
"""Beside an adult word or model, these are refused everywhere."""
NEVER = _listed(
    """
    child porn, child pornography, kiddie porn, kinderporno, kinderpornografie, loli, lolicon, lolis, shota,
    shotacon, shotas, toddlercon, ロリコン, ショタコン, 儿童色情, 児童ポルノ
    """
)
"""Refused everywhere; no rule of a server lets them through."""
