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
    adolescent, adolescents, babies, baby, baby boy, baby girl, cheese pizza, child, child like, childlike,
    children, cp, elementary school, girl child, grade school, grade schooler, high school, high schooler,
    highschool, highschooler, infant, infants, junior high, juvenile, kid, kiddo, kids, kindergarten,
    kindergartener, kindergartner, little boy, little boys, little girl, little girls, lolita, lolitas,
    middle school, middle schooler, minors, newborn, newborns, pedo, pedophile, pedophilia, paedophile,
    paedophilia, pre school, pre schooler, pre teen, pre teens, prepubescent, preschool, preschooler,
    preschoolers, preteen, preteens, primary school, pubescent, school boy, school boys, school child,
    school children, school girl, school girls, schoolboy, schoolboys, schoolchild, schoolchildren, schoolgirl,
    schoolgirls, schoolkid, schoolkids, small boy, small boys, small girl, small girls, teen, teenage, teenager,
    teenagers, teens, tiny girl, toddler, toddlers, tween, tweens, under age, underage, underaged, young boy,
    young boys, young girl, young girls, youngster, youngsters,
    grundschüler, grundschülerin, grundschule, jugendliche, jugendlicher, junges mädchen, kinder, kindlich,
    kindliche, kindlicher, kleine jungen, kleiner junge, kleines kind, kleines mädchen, kleinkind, kleinkinder,
    minderjährig, minderjährige, minderjähriger, minderjähriges, mädchen, schuljunge, schulkind, schulkinder,
    schulmädchen, schülerin, schülerinnen, säugling, säuglinge, teenie, teenies, vorschulkind,
    adolescente, adolescentes, bebé, bebés, chiquilla, chiquillo, colegial, colegiala, colegialas, infantil,
    menor de edad, menores de edad, niña, niñas, niñita, niñito, niño, niños,
    adolescente, bébé, bébés, collégienne, collégiennes, collégien, enfant, enfants, fillette, fillettes, gamin,
    gamine, gamines, garçonnet, jeune fille, jeunes filles, lycéenne, lycéennes, mineure, mineures, nourrisson,
    petit garçon, petite fille, petites filles, écolier, écolière, écolières,
    дети, ребенок,
    お子様, こども, ショタ, ロリ, 中学生, 児童, 女児, 女子高生, 子ども, 子供, 小さな女の子, 小学生, 少女, 少年,
    幼い, 幼児, 幼女, 幼稚園, 未成年, 男児, 園児, 赤ちゃん, 赤ん坊, 高校生,
    初中生, 女童, 婴儿, 嬰兒, 孩子, 孩童, 宝宝, 寶寶, 小女孩, 小学女生, 小孩, 小學生, 小男孩, 幼儿, 幼兒, 幼童,
    儿童, 兒童, 正太, 炼铜, 煉銅, 男童, 萝莉, 蘿莉, 高中生
    """
)
"""Beside an adult word or model, these are refused everywhere, as are ages (``ages``)."""
NEVER = _listed(
    """
    child porn, child pornography, childporn, csam, jailbait, jail bait, kid porn, kiddie porn, kinderporno,
    kinderpornografie, kinderpornographie, loli, lolicon, lolis, pornografía infantil, pornographie enfantine,
    pthc, pédopornographie, shota, shotacon, shotas, toddlercon, ロリコン, ショタコン, 儿童色情, 兒童色情,
    児童ポルノ
    """
)
"""Refused everywhere; no rule of a server lets them through."""
