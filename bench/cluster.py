"""What clustering costs per entry, and whether it stays flat: made-up news through an index, in blocks.

    python bench/cluster.py [--entries 100000] [--live 1000] [--seed 1]

Words follow Zipf's law behind the stop words, stories have 1 to 60 mentions, and a fifth of the mentions copy an
earlier text. Prints the median and mean CPU of an entry per block of a tenth, resident size, and the ratios last/first
block (CPU, from the first full window) and last/second block (memory). The mean stands beside the median because the
first entry of a day pays for counting anew. The CPU of making the news is left out.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from statistics import mean, median

from monitor import lexicons
from monitor.cluster.index import Index
from monitor.cluster.item import Item, story_key
from monitor.cluster.knowledge import Knowledge
from monitor.cluster.settings import Settings
from monitor.values import Domain, EntryId

START = datetime(2025, 1, 1, tzinfo=UTC)
WORDS = 30_000
SYLLABLES = ("ba", "de", "ko", "li", "mu", "na", "ro", "sa", "te", "vi", "zo", "gra", "pre", "sto", "hun", "jek")
BLOCKS = 10
OPEN_STORIES = 60
STOP_WORDS = 120
"""As many of the most frequent words are never compared."""


class News:
    """An endless stream of entries in three languages."""

    def __init__(self, seed: int, live: int, window: timedelta) -> None:
        self.dice = random.Random(seed)
        self.words = ["".join(self.dice.choices(SYLLABLES, k=self.dice.randint(2, 4))) for _ in range(WORDS)]
        self.weights = list(accumulate(1 / (rank + STOP_WORDS) for rank in range(WORDS)))
        self.every = window / live
        self.open: list[tuple[list[str], list[str], int]] = []

    def entries(self) -> Iterator[Item]:
        """Items in the order in which they are seen."""
        number = 0
        while True:
            number += 1
            seen = START + number * self.every
            title, text = self._tell()
            outlet = Domain(f"outlet{self.dice.randint(1, 200)}.example")
            language = self.dice.choice(("en", "sq", "sr"))
            yield Item(EntryId(number), language, seen, seen, outlet, outlet, title, text)

    def _tell(self) -> tuple[str, str]:
        """One more mention of an open story, or the first of a new one."""
        if self.open and self.dice.random() < 0.5:
            place = self.dice.randrange(len(self.open))
            core, text, left = self.open[place]
            if left == 1:
                self.open.pop(place)
            else:
                self.open[place] = (core, text, left - 1)
            if self.dice.random() < 0.2:
                return " ".join(core), " ".join(text)
        else:
            core = self._draw(8)
            left = min(60, int(self.dice.paretovariate(1.2)))
            text = self._draw(100)
            if left > 1:
                self.open.append((core, text, left))
                del self.open[:-OPEN_STORIES]
        own = self._draw(60)
        return " ".join(word.capitalize() if word in core[:2] else word for word in core), " ".join(core + own)

    def _draw(self, count: int) -> list[str]:
        return self.dice.choices(self.words, cum_weights=self.weights, k=count)


def resident_mib() -> float:
    """Memory in use now; the highest so far where the system does not tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = Settings()
    index = Index(settings, Knowledge.from_raw(lexicons.load("cluster/data")))
    news = News(options.seed, options.live, settings.window).entries()
    costs, medians, sizes, stories = [], [], [], 0
    for block in range(BLOCKS):
        items = list(islice(news, options.entries // BLOCKS))
        each = []
        for item in items:
            started = time.process_time_ns()
            assignment = index.assign(item, item.seen_at)
            index.add(item, assignment.joined or story_key(str(item.id)), assignment)
            each.append((time.process_time_ns() - started) / 1e6)
            stories += assignment.joined is None
        costs.append(mean(each))
        medians.append(median(each))
        sizes.append(resident_mib())
        print(
            f"block {block + 1:2}  median {medians[-1]:.3f} mean {costs[-1]:.3f} ms/entry  {sizes[-1]:.0f} MiB  "
            f"{len(index)} live  {index.features} features  {stories} stories",
            flush=True,
        )
    print(
        f"median {median(medians):.3f} ms   CPU last/first full block {costs[-1] / costs[1]:.2f}   "
        f"memory last/second block {sizes[-1] / sizes[1]:.2f}"
    )


if __name__ == "__main__":
    main()
