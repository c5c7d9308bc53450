"""Names of the months, as CLDR has them in running text, alone and abbreviated: casefolded, without final dots.

A table and not a call, because loading the locales takes 25 MB and a quarter of a second in each parser process; a
test compares it with Babel. Serbian and Bosnian genitives and the German-like summer months are added, for newspapers
write them. Called by `monitor.parse.dates`.
"""

from __future__ import annotations

MONTHS: dict[str, tuple[str, ...]] = {
    "en": (
        "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
        "september sep sept", "october oct", "november nov", "december dec",
    ),
    "sr": (
        "јануар јан јануара", "фебруар феб фебруара", "март мар марта", "април апр априла", "мај", "јун јуна јуни",
        "јул јула јули", "август авг августа", "септембар сеп септ септембра", "октобар окт октобра",
        "новембар нов новембра", "децембар дец децембра",
    ),
    "sr-Latn": (
        "januar jan januara", "februar feb februara", "mart mar marta", "april apr aprila", "maj", "jun juna juni",
        "jul jula juli", "avgust avg avgusta", "septembar sep sept septembra", "oktobar okt oktobra",
        "novembar nov novembra", "decembar dec decembra",
    ),
    "hr": (
        "siječnja sij siječanj", "veljače velj veljača", "ožujka ožu ožujak", "travnja tra travanj",
        "svibnja svi svibanj", "lipnja lip lipanj", "srpnja srp srpanj", "kolovoza kol kolovoz", "rujna ruj rujan",
        "listopada lis listopad", "studenoga stu studeni", "prosinca pro prosinac",
    ),
    "bs": (
        "januar jan", "februar feb", "mart mar", "april apr", "maj", "juni jun juna", "juli jul jula", "august aug",
        "septembar sep sept", "oktobar okt", "novembar nov", "decembar dec",
    ),
    "mk": (
        "јануари јан", "февруари фев", "март мар", "април апр", "мај", "јуни јун", "јули јул", "август авг",
        "септември сеп септ", "октомври окт", "ноември ное", "декември дек",
    ),
    "sq": (
        "janar jan", "shkurt shk", "mars mar", "prill pri", "maj", "qershor qer", "korrik korr", "gusht gush",
        "shtator sht", "tetor tet", "nëntor nën", "dhjetor dhj",
    ),
    "sl": (
        "januar jan", "februar feb", "marec mar", "april apr", "maj", "junij jun", "julij jul", "avgust avg",
        "september sep", "oktober okt", "november nov", "december dec",
    ),
    "bg": (
        "януари яну", "февруари фев", "март", "април апр", "май", "юни", "юли", "август авг", "септември сеп",
        "октомври окт", "ноември ное", "декември дек",
    ),
    "el": (
        "ιανουαρίου ιαν ιανουάριοσ", "φεβρουαρίου φεβ φεβρουάριοσ", "μαρτίου μαρ μάρτιοσ μάρ", "απριλίου απρ απρίλιοσ",
        "μαΐου μαΐ μάιοσ μάι", "ιουνίου ιουν ιούνιοσ ιούν", "ιουλίου ιουλ ιούλιοσ ιούλ",
        "αυγούστου αυγ αύγουστοσ αύγ", "σεπτεμβρίου σεπ σεπτέμβριοσ", "οκτωβρίου οκτ οκτώβριοσ",
        "νοεμβρίου νοε νοέμβριοσ νοέ", "δεκεμβρίου δεκ δεκέμβριοσ",
    ),
    "de": (
        "januar jan", "februar feb", "märz mär", "april apr", "mai", "juni jun", "juli jul", "august aug",
        "september sept sep", "oktober okt", "november nov", "dezember dez",
    ),
    "es": (
        "enero ene", "febrero feb", "marzo mar", "abril abr", "mayo may", "junio jun", "julio jul", "agosto ago",
        "septiembre sept", "octubre oct", "noviembre nov", "diciembre dic",
    ),
    "ro": (
        "ianuarie ian", "februarie feb", "martie mar", "aprilie apr", "mai", "iunie iun", "iulie iul", "august aug",
        "septembrie sept", "octombrie oct", "noiembrie nov", "decembrie dec",
    ),
    "tr": (
        "ocak oca", "şubat şub", "mart mar", "nisan nis", "mayıs may", "haziran haz", "temmuz tem", "ağustos ağu",
        "eylül eyl", "ekim eki", "kasım kas", "aralık ara",
    ),
    "fr": (
        "janvier janv", "février févr", "mars", "avril avr", "mai", "juin", "juillet juil", "août", "septembre sept",
        "octobre oct", "novembre nov", "décembre déc",
    ),
    "it": (
        "gennaio gen", "febbraio feb", "marzo mar", "aprile apr", "maggio mag", "giugno giu", "luglio lug",
        "agosto ago", "settembre set", "ottobre ott", "novembre nov", "dicembre dic",
    ),
    "ru": (
        "января янв январь", "февраля февр февраль", "марта мар март", "апреля апр апрель", "мая май", "июня июн июнь",
        "июля июл июль", "августа авг август", "сентября сент сентябрь", "октября окт октябрь", "ноября нояб ноябрь",
        "декабря дек декабрь",
    ),
    "uk": (
        "січня січ січень", "лютого лют лютий", "березня бер березень", "квітня квіт квітень", "травня трав травень",
        "червня черв червень", "липня лип липень", "серпня серп серпень", "вересня вер вересень",
        "жовтня жовт жовтень", "листопада лист листопад", "грудня груд грудень",
    ),
    "pl": (
        "stycznia sty styczeń", "lutego lut luty", "marca mar marzec", "kwietnia kwi kwiecień", "maja maj",
        "czerwca cze czerwiec", "lipca lip lipiec", "sierpnia sie sierpień", "września wrz wrzesień",
        "października paź październik", "listopada lis listopad", "grudnia gru grudzień",
    ),
    "cs": (
        "ledna led leden", "února úno únor", "března bře březen", "dubna dub duben", "května kvě květen",
        "června čvn červen", "července čvc červenec", "srpna srp srpen", "září zář", "října říj říjen",
        "listopadu lis listopad", "prosince pro prosinec",
    ),
    "hu": (
        "január jan", "február febr", "március márc", "április ápr", "május máj", "június jún", "július júl",
        "augusztus aug", "szeptember szept", "október okt", "november nov", "december dec",
    ),
}  # fmt: skip
"""Locale -> for each month, January first, its names separated by blanks."""
