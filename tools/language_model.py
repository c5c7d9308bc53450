"""Write monitor/parse/languages.model: py3langid's model (BSD 3-Clause, see NOTICE) for our languages, in little.

Run by hand when py3langid brings another model or the list of languages grows. The library's model knows 139 languages
by 100,000 runs of bytes and takes 70 MB. Kept are the runs that matter most for ours: one goes when its weights tell
hardly more than those of its longest end that stays, counted by how often it is met.
"""

from __future__ import annotations

import io
import json
import lzma
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy
from py3langid.langid import MODEL_DIR, MODEL_FILE

from monitor.parse.language import HBS, LANGUAGES

OUT = Path(__file__).parent.parent / "monitor/parse/languages.model"
RUNS = 20_000
"""Of 37,000 texts in twenty languages (news, manuals, interfaces) two in a thousand fewer are read right than with the
whole model, none of them news. With 30,000 it is one, but to look for them costs a third more."""
STEP = 0.1
"""A weight is a byte: so many of these steps above `LEAST`."""
LEAST = -15.0
_ONCE = float(numpy.log1p(1.0))
"""What the library multiplies the weights of a run with that it met once; here it counts so each time it is met."""


def main() -> None:
    """Write the file."""
    library = _library()
    kept = [at for at, name in enumerate(library["classes"].tolist()) if name in LANGUAGES]
    weights = library["ptc"][:, kept].astype(numpy.float32)
    names = library["classes"][kept].tolist()
    runs = pruned(_runs(library), weights, names)
    prior = numpy.rint((library["pc"][kept] - library["pc"][kept].min()) / (STEP * _ONCE)).astype(int).tolist()
    OUT.write_bytes(packed(names, prior, {run: _as_bytes(weights[at]) for run, at in runs.items()}))


def packed(languages: list[str], prior: list[int], runs: Mapping[bytes, bytes]) -> bytes:
    """The file: a line of JSON, the lengths of all runs, their bytes, their weights. `monitor.parse.identifier` reads
    it."""
    ordered = sorted(runs, key=lambda run: (len(run), run))
    line = json.dumps({"languages": languages, "prior": prior, "runs": len(ordered)}).encode() + b"\n"
    body = bytes(map(len, ordered)) + b"".join(ordered) + b"".join(runs[run] for run in ordered)
    return lzma.compress(line + body, preset=9 | lzma.PRESET_EXTREME)


def pruned(runs: Mapping[bytes, int], weights: Any, names: list[str]) -> dict[bytes, int]:
    """The runs that matter most. Those that tell only Bosnian, Croatian and Serbian apart matter little."""
    joined = weights.copy()
    latin = [at for at, name in enumerate(names) if name in HBS and not _is_cyrillic(at, names)]
    joined[:, latin] = joined[:, latin].max(axis=1, keepdims=True)
    floor = joined.min(axis=0)
    alive = {run for run, at in runs.items() if (joined[at] - floor).max() >= 1}
    while len(alive) > RUNS:
        worth = {run: _worth(run, runs, alive, joined) for run in alive}
        going = min(len(alive) - RUNS, len(alive) // 8)
        alive -= set(sorted(alive, key=lambda run: (worth[run], run))[:going])
    return {run: runs[run] for run in alive}


def _worth(run: bytes, runs: Mapping[bytes, int], alive: Iterable[bytes], joined: Any) -> float:
    """How often a run is met, times how far its weights are from those of what would be met in its place."""
    end = next((run[at:] for at in range(1, len(run)) if run[at:] in alive), None)
    often = numpy.exp(joined[runs[run]])
    apart = joined[runs[run]] - (joined[runs[end]] if end is not None else 0)
    apart = apart - (apart * often).sum() / often.sum()
    return float((often * numpy.abs(apart)).sum())


def _is_cyrillic(at: int, names: list[str]) -> bool:
    """The library has Serbian twice: first in Cyrillic, then in Latin."""
    return names[at] == "sr" and at == names.index("sr")


def _as_bytes(row: Any) -> bytes:
    return bytes(numpy.clip(numpy.rint((row - LEAST) / STEP), 0, 255).astype(numpy.uint8))


def _library() -> dict[str, Any]:
    with numpy.load(io.BytesIO(lzma.decompress((MODEL_DIR / MODEL_FILE).read_bytes()))) as model:
        return {name: model[name] for name in model.files}


def _runs(library: Mapping[str, Any]) -> dict[bytes, int]:
    """The bytes of each run and the row of its weights, read off the library's automaton."""
    rows = library["nextmove"].reshape(-1, 256)
    found, queue = {0: b""}, [0]
    for state in queue:
        for byte, after in enumerate(rows[library["nextmove_row"][state]].tolist()):
            if after not in found:
                found[after] = found[state] + bytes([byte])
                queue.append(after)
    told = library["out_feat"].tolist()
    return {run: told[state] for state, run in found.items() if told[state] >= 0}


if __name__ == "__main__":
    main()
