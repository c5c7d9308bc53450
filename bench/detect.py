"""Time per sentence and start-up of the response detector, on sentences of its own.

    python bench/detect.py

Goals: 0.3 ms for a sentence of 115 characters, 150 ms to load the lexicon and build the first language.
"""

from __future__ import annotations

import sys
import time

from monitor import lexicons
from monitor.detect import findings, lexicon, reading

SENTENCES = {
    "en": "The foreign ministry of Ghana said on Monday that it had not received any request for talks.",
    "sr": "Ministarstvo spoljnih poslova Gane saopštilo je u ponedeljak da nije dobilo nikakav zahtev iz Vašingtona.",
    "mk": "Министерството за надворешни работи на Гана соопшти дека не добило барање од Вашингтон за тоа.",
}
ROUNDS = 400
REPEATS = 5
"""Of several runs the fastest is told, in time of the processor: the others measure what else the machine does."""


def _timed(pack: lexicon.Pack, text: str) -> float:
    start = time.process_time()
    for _ in range(ROUNDS):
        for sentence in pack.sentences(text, "text"):
            findings.judge(reading.parse(sentence, pack, None, ()))
    return time.process_time() - start


def main() -> int:
    """Print the figures; the answer is the exit status."""
    began = time.perf_counter()
    raw = lexicons.load("detect/lexicon")
    built = lexicon.from_raw(raw)
    loaded = time.perf_counter() - began
    built.pack("en")
    first = time.perf_counter() - began
    sys.stdout.write(f"start-up {loaded * 1000:.0f} ms, with the first language {first * 1000:.0f} ms\n")
    for language, text in SENTENCES.items():
        pack = built.pack(language)
        assert pack is not None
        each = min(_timed(pack, text) for _ in range(REPEATS)) / ROUNDS
        sys.stdout.write(f"{language}: {each * 1000:.3f} ms for {len(text)} characters\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
