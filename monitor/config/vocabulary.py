"""Closed sets of words the file may use: countries, languages, kinds of outlets, events and channels. Data only.

Countries are ISO 3166-1 alpha-2 with XK; languages ISO 639-1 with `cnr` (Montenegrin) and `sh`, which stands for the
four standards of Serbo-Croatian.
"""

from __future__ import annotations

from alerts.values import EventClass, Kind

COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
    CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
    SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
    UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905  a block of codes reads better than quotes
)
GOVERNMENTS = COUNTRIES | {"EU", "UN"}
MISTAKEN_COUNTRIES = {"UK": "GB", "EL": "GR", "KS": "XK", "KO": "XK", "SRB": "RS", "BIH": "BA", "YU": "RS", "EN": "GB"}
"""Codes people write by habit, and the right ones."""

LANGUAGES = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no
    nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te
    tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu cnr sh
    """.split()  # noqa: SIM905  a block of codes reads better than quotes
)
SERBO_CROATIAN = frozenset({"sr", "hr", "bs", "cnr", "sh"})
"""What `sh` stands for."""
MISTAKEN_LANGUAGES = {"srb": "sr", "rs": "sr", "al": "sq", "alb": "sq", "ba": "bs", "me": "cnr", "gr": "el", "cz": "cs"}

OUTLET_KINDS = ("wire", "newspaper", "broadcaster", "portal", "government", "aggregator")
WATCH_KINDS = tuple(
    kind.value
    for kind in (
        Kind.NEW_STORY,
        Kind.NEW_OUTLET,
        Kind.RESPONSE,
        Kind.SILENCE_BROKEN,
        Kind.STANCE_CHANGE,
        Kind.SPIKE,
        Kind.CORRECTION,
        Kind.WITHDRAWN,
    )
)
"""Kinds of events that a watch can ask for; it asks for all of them unless it says otherwise."""
EVENT_KINDS = tuple(kind.value for kind in Kind)
EVENT_CLASSES = tuple(name.value for name in EventClass)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STANCES = (
    "confirmed",
    "denied",
    "agreed",
    "refused",
    "condemned",
    "announced_action",
    "commented",
    "declined",
    "no_reply",
)
INDEPENDENT = ("any", "own")
ORIGINS = ("own", "new", "known", "unknown")
PLACEHOLDER_CONTACT = "https://example.org/change-me"
"""What the shipped file says; `check` warns until it is changed."""
