"""Abbreviations whose full stop does not end a sentence, by language; folded when read.

A table, no logic. Words that also end sentences (etc., itd., usw.) are left out. Called by `monitor.text.sentences`.
"""

from __future__ import annotations

from monitor.text.fold import fold

_BY_LANGUAGE = {
    "en": "mr mrs ms dr prof gen sen rep gov lt col sgt capt cmdr adm maj hon rev st jr sr vs inc ltd corp dept approx "
    "feb aug sept oct nov",
    "sh": "dr mr g gđa gđica gosp prof doc akad br sv st god ul tzv npr odn tj str čl dipl ing inž prim gen p o s",
    "mk": "др мр г проф бр св ул год тн пр стр чл ген",
    "sq": "dr mr z znj zt prof nr sh dmth rr bul shën gjen",
    "sl": "dr ga prof št sv ul npr tj oz gen",
    "bg": "г проф акад бр св ул нар напр ген чл стр",
    "ru": "г гг проф акад им ул стр ст напр ген тыс млн млрд руб",
    "de": "dr prof hr fr nr st str bzw ca vgl gen evtl sog",
    "fr": "mm mme mlle dr prof st ste av env gén",
    "es": "sr sra srta dr dra prof gral sta sto núm av uu",
    "it": "sig dott prof avv ing gen",
    "ro": "dl dna dr prof nr str alin gen sf st ing",
    "tr": "dr prof doç sn vb bkz gen",
    "hu": "dr prof ifj stb",
    "el": "κκ δρ καθ αρ δηλ βλ στρ",
}
_BEFORE_A_NUMBER = "no art fig vol pag pág jan mar apr jun jul dec"

ABBREVIATIONS = frozenset(fold(word) for line in _BY_LANGUAGE.values() for word in line.split())
NUMBERED = frozenset(fold(word) for word in _BEFORE_A_NUMBER.split())
"""Words that are abbreviations only before a number: "No. 5", but "The answer was no." """
