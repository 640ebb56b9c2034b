"""Reading a workbook inside the limited process. Plain Python; imports nothing of Django.

``child`` is the process's programme, started by ``eduaid.core.parser``; ``frames`` is what the two say to each other.
"""
