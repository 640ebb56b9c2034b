"""P61: places, calendar, people and posts, dictionaries."""
