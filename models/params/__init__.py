"""A portfolio on a tree as frozen arrays: what the program multiplies its decisions by."""
