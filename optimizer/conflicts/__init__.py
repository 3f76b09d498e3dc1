"""Why there is no plan: the smallest conflict in the planner's rows, and the cheapest ways out, priced."""
