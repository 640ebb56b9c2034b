"""Checks any summary table, ours or a published one: finds its totals, products, rates and repeated figures by words and by
arithmetic, and names the cells that do not fit. Plain Python; reading happens in the limited process of `eduaid.core.parser`.

Nothing is reported that the table itself does not support: a relation is believed only where most of its instances hold.
"""
