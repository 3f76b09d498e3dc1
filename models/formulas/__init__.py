"""What is true of money and machines: pure functions of numbers along one path of quarters."""
