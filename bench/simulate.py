"""A year of 10,000 guilds in virtual time: Easel's fair queue beside FIFO and one job of each guild in turn.

    python bench/simulate.py [--quick] [--seed N] [--write]

The same asks go through each policy, over one pool of slots of differing pace, under the same caps on what may
wait. Easel's numbers come from ``bot.domain.fairness`` itself: only the rows are in memory. What is measured:

- *Jain's index* of the cost served, divided by the guild's weight, among the guilds that had queued work for the
  whole of an hour. Over all hours: the index of what each guild got in all its hours as a share of those hours'
  means, of the guilds that had at least 24 of them: in fewer, the size of single jobs is all that shows. Cost
  counts when a job starts; what a failed one did not get is taken off again.
- *Lead*: the most that one of these guilds had more than another in an hour, in standard images at weight 1.0.
  Start-time fair queueing promises at most the two guilds' largest jobs (Goyal, Vin and Cheng, 1996), where none
  fails: what a failed one did not get is given back never past the clock, so that it overtakes no newcomer.
- *Jobs before it*: how many started between a quiet guild's asking and the start of that job, without other
  newcomers that stood there already. A newcomer is a job that found nothing of its guild queued or running. It is
  the first of a visit if its guild had asked for nothing in the hour before. Only those count that found a line.

The exit status is 1 if Easel misses a bar. ``--write`` renews the table and the plot of docs/fairness.md.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import argparse
import time
from statistics import fmean

from bench.figures import Sheet
from bench.simulation.chart import chart
from bench.simulation.measures import Outcome
from bench.simulation.policies import POLICIES
from bench.simulation.run import Run
from bench.simulation.telling import told
from bench.simulation.world import QUICK, YEAR, World

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "fairness.md"
PLOT = ROOT / "docs" / "pictures" / "fairness.svg"
BEGIN, END = "<!-- python bench/simulate.py --write -->", "<!-- end -->"


def simulate(world: World, seed: int) -> dict[str, Outcome]:
    """Return what became of the same asks under each policy."""
    outcomes = {}
    for name, policy in POLICIES.items():
        begun = time.perf_counter()
        outcomes[name] = Run(world, policy()).play(world.asks(seed))
        print(f"{name}: {world.days} days in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return outcomes


def write(text: str, plot: str) -> None:
    """Renew the table of the page, and the plot."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    PLOT.write_text(plot, encoding="utf-8")


def judge(outcome: Outcome) -> int:
    """Print Easel's figures beside their bars and return the exit status."""
    sheet = Sheet()
    shares, jobs = outcome.shares, outcome.first.overtaken
    sheet.report("Jain index by weight, mean of the hours", fmean(shares.hours), "", 0.99, least=True)
    sheet.report("Jain index by weight, over all hours together", shares.pooled, "", 0.99, least=True)
    sheet.report("jobs before a quiet guild's first, p99", jobs.quantile(0.99), "", 2)
    return sheet.close()


def main() -> int:
    """Simulate, print, and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="1,000 guilds and 30 days")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--write", action="store_true", help="write the table and the plot into docs")
    given = options.parse_args()
    if given.quick and given.write:
        options.error("the page tells of the whole year: --write goes without --quick")
    world = QUICK if given.quick else YEAR
    outcomes = simulate(world, given.seed)
    text = told(world, outcomes, given.seed)
    print(text)
    if given.write:
        write(text, chart(outcomes))
    return judge(outcomes["Easel"])


if __name__ == "__main__":
    sys.exit(main())
