"""What an entry costs to match, against the number of watches: python bench/match.py [--json] [--most 100000].

Ten live watches read like a newsroom's; the rest ask for rare names, as thousands of watches do. Texts are made up of
common words with a live word here and there. Printed per number of watches: build time, microseconds of scan and
evaluation per entry of about 300, 600 and 4,000 characters, of folding apart, and the growth of the first against ten
watches. Ratios are what counts, machines differ.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import time
from collections.abc import Sequence

from monitor import lexicons
from monitor.match import concepts, matcher, query
from monitor.text.fold import BLANKED, fold

LIVE = (
    "~deportation AND ~third-country AND (Serbia OR ~Balkan)",
    "((~deportation NEAR/8 ~migrant) OR ~third-country) AND (~Balkan OR Serbia OR Kosovo OR Albania)",
    'TPS OR "temporary protected status"',
    '(TPS OR "protected status") SENTENCE (revoke* OR terminat* OR extend*)',
    "Vučić AND (~agreement OR ~accept)",
    "title:(Kosovo OR Serbia) NOT title:football",
    "~accept NEAR/6 ~migrant",
    "lang:sh AND (~migrant OR azil*)",
    '"White House" AND (Belgrade OR Tirana OR Pristina)',
    "US BEFORE/8 (deport* OR expel*)",
)
ENGLISH = (
    "the government said on friday that officials from the ministry would meet after weeks of talks about a plan for "
    "roads schools and hospitals in the north where people have waited for years while prices rise and the court is "
    "expected to rule next month on whether the new law can stand as companies look for workers and towns lose them"
)
SERBIAN = (
    "влада је у петак саопштила да ће се представници министарства састати после вишенедељних разговора о плану за "
    "путеве школе и болнице на северу где људи чекају годинама док цене расту а суд би следећег месеца требало да "
    "одлучи да ли нови закон остаје на снази јер фирме траже раднике а градови их губе"
)
LIVE_WORDS = ("deportees", "Serbia", "Kosovo", "migrants", "TPS", "agreement", "third country", "Balkan", "accepted")
LIVE_WORDS_CYRILLIC = ("депортације", "Србија", "мигранти", "споразум", "трећу земљу", "Балкан", "прихватила")
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "ši", "đo", "žu")


def watches(number: int, rng: random.Random) -> list[str]:
    """Ten live queries and rare ones; two rare names AND two others, not a third: the shape a person writes."""
    rare = []
    for _ in range(max(0, number - len(LIVE))):
        a, b, c, d, e = (name(rng) for _ in range(5))
        rare.append(f"({a} OR {b}*) AND ({c} OR {d}) NOT {e}")
    return [*LIVE[:number], *rare]


def name(rng: random.Random) -> str:
    """An invented name of four syllables."""
    return "".join(rng.choices(SYLLABLES, k=4)).capitalize()


def text(length: int, rng: random.Random, *, cyrillic: bool) -> str:
    """Prose of common words; about one word in forty is live."""
    words, live = (SERBIAN, LIVE_WORDS_CYRILLIC) if cyrillic else (ENGLISH, LIVE_WORDS)
    common = words.split()
    out: list[str] = []
    while len(" ".join(out)) < length:
        out.append(rng.choice(live) if rng.random() < 1 / 40 else rng.choice(common))
        if rng.random() < 1 / 15:
            out[-1] += "."
    return " ".join(out)[:length]


def documents(length: int, number: int, rng: random.Random) -> list[matcher.Document]:
    """Half English, half Serbian Cyrillic."""
    made = []
    for count in range(number):
        cyrillic = count % 2 == 1
        body = text(length, rng, cyrillic=cyrillic)
        made.append(
            matcher.Document(body[:80], body[80:], "sr" if cyrillic else "en", "Outlet", "outlet.example", "RS")
        )
    return made


def microseconds(engine: matcher.Matcher, entries: Sequence[matcher.Document], rounds: int) -> float:
    """CPU time per entry, the best of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for entry in entries:
            engine.match(entry)
        best = min(best, time.process_time() - start)
    return best / len(entries) * 1e6


def folding(entries: Sequence[matcher.Document], rounds: int) -> float:
    """CPU microseconds an entry's folding takes: the part that no watch changes."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for entry in entries:
            fold(entry.title, BLANKED)
            fold(entry.text, BLANKED)
        best = min(best, time.process_time() - start)
    return best / len(entries) * 1e6


def measure(sizes: Sequence[int], rounds: int) -> list[dict[str, float]]:
    """One row per number of watches."""
    lexicon = concepts.from_raw(lexicons.load("match/concepts"))
    entries = {
        length: documents(length, 200 if length < 1000 else 40, random.Random(length)) for length in (300, 600, 4000)
    }
    folded = {length: folding(some, rounds) for length, some in entries.items()}
    rows: list[dict[str, float]] = []
    for size in sizes:
        queries = [query.parse(text, lexicon) for text in watches(size, random.Random(size))]
        start = time.process_time()
        engine = matcher.compile([matcher.WatchQuery(f"w{n}", tree) for n, tree in enumerate(queries)], lexicon)
        row: dict[str, float] = {"watches": size, "build_s": time.process_time() - start}
        gc.collect()
        for length, some in entries.items():
            row[f"us_{length}"] = microseconds(engine, some, rounds) - folded[length]
            row[f"fold_{length}"] = folded[length]
            row[f"growth_{length}"] = row[f"us_{length}"] / rows[0][f"us_{length}"] if rows else 1.0
        row["matches"] = sum(len(engine.match(entry)) for entry in entries[600])
        row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append(row)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = measure([size for size in (10, 100, 1_000, 10_000, 100_000) if size <= options.most], options.rounds)
    if options.json:
        print(json.dumps(rows))
        return
    print(" ".join(f"{key:>11}" for key in rows[0]))
    for row in rows:
        print(" ".join(f"{value:11,.2f}" if isinstance(value, float) else f"{value:11,}" for value in row.values()))


if __name__ == "__main__":
    main()
