"""From the rules of a market deck to its tables: read, check, make and write."""
