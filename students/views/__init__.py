"""Pages about children: the list, one child, a household, a list row, the search."""
