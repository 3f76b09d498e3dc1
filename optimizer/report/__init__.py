"""The plan shown: on a terminal, and as one JSON document."""
