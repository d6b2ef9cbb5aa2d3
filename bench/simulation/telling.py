"""The outcomes of a simulation in words and as a table."""

from collections.abc import Callable, Mapping
from statistics import fmean

from bench.figures import quantile
from bench.simulation.measures import Outcome, Spread
from bench.simulation.world import World
from bot.domain.cost import UNIT


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return all figures as a table, one column for each policy."""
    lines = ["| | " + " | ".join(outcomes) + " |", "|---|" + "---:|" * len(outcomes)]
    for words, figure in ROWS:
        cells = (figure(outcome) for outcome in outcomes.values())
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def told(world: World, outcomes: Mapping[str, Outcome], seed: int) -> str:
    """Return what was simulated in words, and the table."""
    asked = next(outcome.accepted + outcome.refused for outcome in outcomes.values())
    kinds = ", ".join(f"{kind.guilds:,} {kind.name}" for kind in world.kinds)
    return (
        f"{world.days} days, {world.guilds:,} servers ({kinds}) and {asked:,} orders, for\n"
        f"{len(world.paces)} slots that all of them would keep busy {world.load:.0%} of the time; seed {seed}. "
        f"Of three figures the first is\nthe median, the second the 99th percentile, the third the most.\n\n"
        f"{table(outcomes)}"
    )


def _index(value: float) -> str:
    return f"{value:.3f}"


def _waits(spread: Spread) -> str:
    return " / ".join(_time(spread.quantile(share)) for share in (0.5, 0.99, 1))


def _time(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _jobs(spread: Spread) -> str:
    return " / ".join(f"{spread.quantile(share):,}" for share in (0.5, 0.99, 1))


ROWS: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("Jain index of an hour, by weight: mean", lambda of: _index(fmean(of.shares.hours))),
    ("… the worst of a hundred hours", lambda of: _index(quantile(of.shares.hours, 0.01))),
    ("… among servers of equal weight alone: mean", lambda of: _index(fmean(of.shares.alike))),
    ("Jain index over all hours of those that had 24 or more", lambda of: _index(of.shares.pooled)),
    ("largest lead in an hour, in standard images", lambda of: f"{of.shares.lead / UNIT:.1f}"),
    ("hours with a backlog, of two servers or more", lambda of: f"{len(of.shares.hours):,}"),
    ("quiet server, first of a visit: jobs before it", lambda of: _jobs(of.first.overtaken)),
    ("… its wait", lambda of: _waits(of.first.waits)),
    ("quiet server, idle again in a visit: jobs before it", lambda of: _jobs(of.again.overtaken)),
    ("… its wait", lambda of: _waits(of.again.waits)),
    ("wait in quiet servers, all jobs", lambda of: _waits(of.waits["quiet"])),
    ("wait in ordinary servers", lambda of: _waits(of.waits["ordinary"])),
    ("wait in busy servers", lambda of: _waits(of.waits["busy"])),
    ("orders refused at the caps", lambda of: f"{of.refused / (of.accepted + of.refused):.1%}"),
    ("jobs cancelled in line, or overdue after 24 h", lambda of: f"{of.cancelled / of.accepted:.1%}"),
    ("jobs started", lambda of: f"{of.started:,}"),
)
