"""Pages of 控辍保学."""
