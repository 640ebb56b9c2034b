"""Finding the same people in whole lists: what stands behind `students.matching`. Plain Python and numpy, no Django.

`people` what goes in · `names` names as arrays · `numbers` ID numbers as arrays · `columns` all lists as one table ·
`candidates` which pairs are looked at · `evidence` what a pair agrees in and what that weighs · `deciding` one partner each,
three answers · `triangles` what two lists say of the third · `reasons` the sentence.
"""
