# SPDX-License-Identifier: Apache-2.0
"""Rule sets that come with the program, each with its published source. Not legal text.

The texts are TOML as `rules_toml` reads it, so that a preset can be printed, changed and used
as a file. What a source does not say and we had to add is named in the note.
"""

from collections.abc import Mapping
from typing import Final

from keepclear.agreement.rules_toml import read_rules
from keepclear.agreement.separation import RuleSet

EN_ROUTE: Final = """\
name = "en-route"
source = "ICAO Doc 4444 (PANS-ATM, 16th ed. 2016) 8.7.3.1 for 5 NM, 5.3.2 for the vertical minimum"
note = "not legal text; 5 NM is a surveillance minimum, not a procedural one"

[rules.en-route]
any = [
  { lateral = "5 NM" },
  { vertical = "2000 ft", below = { level = "FL290", vertical = "1000 ft" }, rvsm = { up_to = "FL410", vertical = "1000 ft" } },
]
"""  # noqa: E501 an inline table stands on one line

RULE_OF_THREES: Final = """\
name = "rule-of-threes"
source = "press reports on the US-Russian memorandum on Syria of 20 October 2015, whose text was not published: Wall Street Journal as copied by justkat.newsvine.com, 9 January 2017; jejaktapak.com, 10 January 2017"
note = "not legal text; the floor of 1 NM / 1000 ft is ours and was not reported"

[rules.threes]
any = [{ lateral = "3 NM" }, { vertical = "3000 ft" }, { duration = "3 min" }]
floor = { lateral = "1 NM", vertical = "1000 ft" }
"""  # noqa: E501 a source is one text

INDIA_PAKISTAN_1991: Final = """\
name = "india-pakistan-1991"
source = "Agreement on Prevention of Air Space Violations, 6 April 1991, article 2, as printed by stimson.org (2011)"
note = "not legal text; distances are from the other's airspace, air defence zone included; the default for classes the article does not name is ours; its exceptions (articles 3, 4 and 6) are not in here"

[rules.combat]
classes = ["combat", "any"]
standoff = "10 km"
from = "airspace_of_other_state"

[rules.unarmed-transport]
classes = ["unarmed-transport", "any"]
standoff = "1000 m"
from = "airspace_of_other_state"

[rules.unarmed-helicopter]
classes = ["unarmed-helicopter", "any"]
standoff = "1000 m"
from = "airspace_of_other_state"

[rules.air-observation-post]
classes = ["air-observation-post", "any"]
standoff = "1000 m"
from = "airspace_of_other_state"

[rules.other]
default = true
standoff = "10 km"
from = "airspace_of_other_state"
"""  # noqa: E501 a source is one text

DO_365: Final = """\
name = "do-365"
source = "RTCA DO-365B (2021), Phase I, with the values that NASA DAIDALUS 2 is configured with"
note = "not legal text; for live tracks only; the numbers stand in keepclear.detect.do365"

[rules.well-clear]
well_clear = "phase-1"
"""

TEXTS: Final = (EN_ROUTE, RULE_OF_THREES, INDIA_PAKISTAN_1991, DO_365)
PRESETS: Final[Mapping[str, RuleSet]] = {
    rule_set.name: rule_set for rule_set in map(read_rules, TEXTS)
}
