"""The plan as declared tables: what columns there are, and how they are read off a solved program."""
