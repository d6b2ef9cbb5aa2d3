"""How often the bot may ask: buckets per route and place, one bucket for everything (Discord docs)."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.rehearsal.errors import Json


@dataclass(frozen=True, slots=True)
class Rule:
    """At most ``limit`` requests in ``window_s`` seconds."""

    limit: int
    window_s: float


@dataclass(slots=True)
class _Window:
    started: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request gets to hear: rate limit headers, and if it was one too many, the 429's body."""

    headers: dict[str, str]
    refusal: Json | None = None


def _rules() -> dict[tuple[str, str], Rule]:
    message = "/channels/{channel_id}/messages/{message_id}"
    hook = "/webhooks/{webhook_id}/{webhook_token}"
    return {
        ("POST", "/channels/{channel_id}/messages"): Rule(5, 5.0),
        ("PATCH", message): Rule(5, 5.0),
        ("DELETE", message): Rule(5, 1.0),
        ("PUT", f"{message}/reactions/{{emoji_name}}/@me"): Rule(1, 0.25),
        ("DELETE", f"{message}/reactions/{{emoji_name}}/@me"): Rule(1, 0.25),
        ("POST", hook): Rule(5, 2.0),
        ("PATCH", f"{hook}/messages/@original"): Rule(5, 2.0),
        ("PATCH", f"{hook}/messages/{{message_id}}"): Rule(5, 2.0),
        ("DELETE", f"{hook}/messages/@original"): Rule(5, 2.0),
        ("DELETE", f"{hook}/messages/{{message_id}}"): Rule(5, 2.0),
    }


@dataclass(slots=True)
class RateLimits:
    """Counts requests in true seconds; ``enabled`` turns all of it off, ``rules`` may be changed at any time.

    ``old_edits`` is the rule for messages over an hour old (30046), of which Discord tells no numbers.
    """

    now: Callable[[], float]
    enabled: bool = True
    rules: dict[tuple[str, str], Rule] = field(default_factory=_rules)
    default: Rule = Rule(50, 1.0)
    every_route: Rule = Rule(50, 1.0)
    old_edits: Rule = Rule(3, 20.0)
    _windows: dict[str, _Window] = field(default_factory=dict)

    def take(self, method: str, route: str, params: Mapping[str, str], *, counts_globally: bool) -> Verdict:
        """Count one request and tell what it gets to hear."""
        if not self.enabled:
            return Verdict({})
        if counts_globally:
            wait_s, _ = self._count("global", self.every_route)
            if wait_s is not None:
                return self._refused(wait_s, {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"})
        rule = self.rules.get((method, route), self.default)
        bucket = f"{zlib.crc32(f'{method} {route}'.encode()):08x}"
        major = "+".join(
            params[k] for k in ("channel_id", "guild_id", "webhook_id", "webhook_token") if k in params
        )
        wait_s, left = self._count(f"{bucket}:{major}", rule)
        reset_s = self._reset_s(f"{bucket}:{major}", rule)
        headers = {
            "X-RateLimit-Limit": str(rule.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": f"{self.now() + reset_s:.3f}",
            "X-RateLimit-Reset-After": f"{reset_s:.3f}",
            "X-RateLimit-Bucket": bucket,
        }
        if wait_s is not None:
            return self._refused(wait_s, {**headers, "X-RateLimit-Scope": "user"})
        return Verdict(headers)

    def take_old_edit(self, channel_id: int) -> float | None:
        """Count an edit of a message over an hour old; return the seconds to wait if it was one too many."""
        if not self.enabled:
            return None
        return self._count(f"old:{channel_id}", self.old_edits)[0]

    def _count(self, key: str, rule: Rule) -> tuple[float | None, int]:
        now = self.now()
        window = self._windows.get(key)
        if window is None or now - window.started >= rule.window_s:
            window = self._windows[key] = _Window(now)
        if window.used >= rule.limit:
            return max(window.started + rule.window_s - now, 0.001), 0
        window.used += 1
        return None, rule.limit - window.used

    def _reset_s(self, key: str, rule: Rule) -> float:
        left_s = self._windows[key].started + rule.window_s - self.now()
        # The headers count whole milliseconds; rounded down they would let a request come a moment too early.
        return max(math.ceil(left_s * 1000), 1) / 1000

    @staticmethod
    def _refused(wait_s: float, headers: dict[str, str]) -> Verdict:
        return Verdict(*refusal(wait_s, headers))


def refusal(wait_s: float, headers: dict[str, str], code: int = 0) -> tuple[dict[str, str], Json]:
    """Return headers and body of a 429; the Via header tells it from a ban at Discord's outer door."""
    body: Json = {
        "message": "You are being rate limited.",
        "retry_after": round(wait_s, 3),
        "global": headers.get("X-RateLimit-Scope") == "global",
    }
    if code:
        body["code"] = code
    return {**headers, "Retry-After": str(max(1, round(wait_s))), "Via": "1.1 google"}, body
