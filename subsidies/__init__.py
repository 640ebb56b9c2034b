"""Student aid (学生资助): programmes, standards, awards, payments. Knows nothing of dropout prevention."""
