"""What ``bot.ui`` draws of quotas, of rules for words and of what is kept of a person."""

from collections.abc import Callable, Mapping

from bot.domain.privacy import Kept, Terms
from bot.domain.quotas import Allowance, Period, Quota, Use
from bot.domain.quotas import Scope as QuotaScope
from bot.domain.wordrules import MAX_WORD, MAX_WORDS, Action, Rule, WordRules
from bot.prompting.rewording import Reworded, Wish
from bot.services.quotas import MAX_QUOTAS
from bot.ui import privacy, quotas, wording
from bot.ui.quotas import MOST_S
from tests.unit.ui_payloads import Drawn

LARGEST = 2**63 - 2
MANY = 50
NOW = 1_700_000_000.0


def _kept() -> Kept:
    return Kept(10**9, 10**9, 10**9, NOW, 10**9, 10**9, 10**9, 10**9, 10**9, 10**9)


def _uses(many: int) -> list[Use]:
    """As many allowances as one can be held to; without ``many`` those of a day and a month."""
    kinds = [Allowance(scope, period, MOST_S) for scope in QuotaScope if scope != "role" for period in Period]
    found = [*kinds, *kinds[:4]] if many else kinds[:2]
    return [Use(each, 1e9, 1e9, 2_000_000_000) for each in found]


def _quotas() -> list[Quota]:
    """As many quotas as a server may have."""
    return [Quota(QuotaScope.ROLE, Period.MONTH, MOST_S, LARGEST - n) for n in range(MAX_QUOTAS)]


def _word_rules(text: str) -> WordRules:
    """As many rules of each kind as there may be."""
    rules = WordRules()
    for kind, action in enumerate(Action):
        words = {f"{text}{number}"[-MAX_WORD:] for number in range(kind, MAX_WORDS, len(Action))}
        rules = rules.having(words, Rule(action, text[:MAX_WORD] or "a"))
    return rules


RULES: Mapping[str, Callable[[str], Drawn]] = {
    "privacy.kept": lambda _: privacy.kept(
        _kept(), Terms(365, 365, 365), f"https://example.com/{'x' * 400}", "en"
    ),
    "privacy.kept of nobody": lambda _: privacy.kept(Kept(), Terms(1, 1, 1), "", "en"),
    "privacy.question": lambda _: privacy.question(_kept(), "en"),
    "privacy.deleted": lambda _: privacy.deleted(_kept(), "en"),
    "privacy.left_alone": lambda _: privacy.left_alone("en"),
    "privacy.exported": lambda _: privacy.exported("easel-data.json", b"{}", "en"),
    "quotas.shown": lambda _: quotas.shown(_uses(0), _uses(MANY), _quotas(), "en"),
    "quotas.changed": lambda _: quotas.changed(_quotas(), "en"),
    "wording.rules": lambda text: wording.rules(_word_rules(text), "en"),
    "wording.rules of nothing": lambda _: wording.rules(WordRules(), "en"),
    "wording.tried": lambda text: wording.tried("a fox", Reworded(text), Wish(), "en"),
    "wording.tried in vain": lambda text: wording.tried(text, Reworded(text, text), Wish(), "en"),
}
