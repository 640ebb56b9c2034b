"""People, households, enrolments: the resolved view of the lists in force, and how it is made."""
