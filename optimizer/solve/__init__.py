"""How a program is solved, and what was proved."""
