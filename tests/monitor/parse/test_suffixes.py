"""The public suffix list, read without its library: it must say what the library says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tldextract import TLDExtract

from monitor.parse import links, suffixes

SUFFIX = {
    "a suffix of one label": ("glasnik.rs", 1),
    "a suffix of two": ("glasnik.co.rs", 2),
    "any label below a wild one": ("www.shop.ck", 2),
    "what a wild one does not mean": ("www.ck", 1),
    "the wild one itself": ("ck", 0),
    "a private suffix": ("ana.github.io", 2),
    "a suffix in another script": ("xn--b1agj9af.xn--90a3ac", 1),
    "an ending that nobody registered": ("printer.lan", 0),
}


@pytest.mark.parametrize(("host", "length"), SUFFIX.values(), ids=SUFFIX)
def test_the_suffix_of_a_host(host: str, length: int) -> None:
    assert suffixes.shipped().length(host.split(".")) == length


def test_every_rule_means_what_the_library_takes_it_for() -> None:
    library = TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)
    rules = sorted(library.tlds)
    assert len(rules) > 5_000
    for rule in rules[::7] + [rule for rule in rules if rule[0] in "!*"]:
        for above in ("", "paper.", "www.paper."):
            host = links.ascii_host(above + rule.removeprefix("!").replace("*", "any"))
            found = library(host)
            assert links.registrable(host) == (found.top_domain_under_public_suffix or None), host
            assert links.has_public_suffix(host) == bool(found.suffix), host


def test_the_library_is_not_loaded() -> None:
    program = (
        "import sys; from monitor.parse import links; links.registrable('a.co.rs'); print('requests' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )
