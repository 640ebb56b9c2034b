"""Pages of the kernel: log-in, intake, settings, errors."""
