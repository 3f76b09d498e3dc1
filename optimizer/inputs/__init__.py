"""From files to a valid portfolio: read, parse, check, and the starter that `init` writes."""
