"""What is true of a miner's sites, contracts and money; knows no solver and decides nothing."""
