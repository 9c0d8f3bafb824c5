# SPDX-License-Identifier: Apache-2.0
"""How sure it is that somebody is in danger, and what is: the words of search and rescue.

The phases are those of alerting services: ICAO Annex 11, 5.2.1, and Annex 12, chapter 5, for
aircraft; the IAMSAR Manual, volume II, chapter 3, for vessels and persons too.

No more is said of who is in danger than which rescuer is to go: no flag, type, load or purpose.
"""

from enum import StrEnum


class Phase(StrEnum):
    """A phase of an emergency, from the least sure to the surest."""

    INCERFA = "INCERFA"  # uncertainty: nothing is heard, and it should be
    ALERFA = "ALERFA"  # alert: there is apprehension for those on board
    DETRESFA = "DETRESFA"  # distress: they are in grave and imminent danger, and need help


class InDanger(StrEnum):
    """What is in danger."""

    AIRCRAFT = "aircraft"
    VESSEL = "vessel"
    PERSONS = "persons"
