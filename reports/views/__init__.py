"""Pages of the county's figures: home, progress, drill-down, reports, traces."""
