"""Dropout prevention (控辍保学): rounds, whereabouts, evidence, cases. Knows nothing of student aid."""
