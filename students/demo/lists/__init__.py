"""The lists of the invented county, one module for each kind, in the columns and habits of real ones."""
