"""Reports: reads every app below, composes their indicators, writes only its own tables."""
