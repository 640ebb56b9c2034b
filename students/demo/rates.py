"""All proportions of the example county in one place.

The planting rates follow a 2019 inspection of real lists: double household registration 0.22 %, dead or emigrated
people not cancelled 0.16 %, any wrong item 0.80 %, and a bad or missing ID with half of the children that seem to have
no registry. The other figures describe a plausible county and may be changed freely.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares between 0 and 1; the comment says of what."""

    # Errors and dirt in the lists
    duplicate_hukou: float = 0.0022  # of hukou children: a second row with another valid number
    not_cancelled: float = 0.0016  # of hukou children: dead or emigrated, still in the population list
    wrong_item: float = 0.0080  # of the rows of each list: one item is wrong
    unlinked_bad_id: float = 0.50  # of children of 6-15 without a registry match: a linkage problem only
    dirty: float = 0.015  # of the rows of each list: odd spelling that loses nothing
    duplicate_row: float = 0.0006  # of roster rows: the same pupil twice in one list
    double_enrolment: float = 0.0005  # of pupils: in the class rosters of two schools
    boarding_differs: float = 0.008  # of pupils: registry and class roster disagree on boarding
    grade_differs: float = 0.002  # of pupils: the registry is a year behind

    # Where children are
    unregistered: float = 0.0030  # of pupils in class: the registry does not know them
    registry_only: float = 0.0040  # of registered pupils: not in class (gone, not yet transferred)
    out_of_school: float = 0.0025  # of children of 6-15: dropped out
    deferred: float = 0.03  # of six-year-olds: entry put off
    outside_compulsory: float = 0.045  # of hukou children of 6-15: at school outside the county
    incoming: float = 0.022  # of people: hukou in another county, at school here
    other_township: float = 0.02  # of pupils: at school in another rural township
    county_seat: float = 0.08  # of rural pupils: at school in the county seat
    kindergarten: float = 0.86  # of children of 3-5

    # Who they are
    twins: float = 0.011  # of births
    minority_dotted: float = 0.004  # of households: names with a middle dot
    rare_character: float = 0.004  # of people
    former_name: float = 0.006  # of children
    changed_id: float = 0.003  # of pupils: the registry number holds the former ID number
    no_id: float = 0.0008  # of children: no ID number has been issued
    foreign_document: float = 0.02  # of incoming children: a passport
    mother_surname: float = 0.04  # of children
    left_behind: float = 0.26  # of rural children
    disability: float = 0.009  # of children
    severe: float = 0.18  # of disabled children
    poverty_household: float = 0.105  # of households: registered poor since 2014, or monitored
    monitored: float = 0.14  # of poverty households: under monitoring now
    dibao: float = 0.035  # of households: minimum living allowance
    orphan: float = 0.0012  # of households: no parent left
    unattended: float = 0.0020  # of households: parents alive and unable to care
    destitute: float = 0.0008  # of households: 特困供养
    martyr: float = 0.0003  # of households
