"""Studies of several plans: strategies side by side."""
