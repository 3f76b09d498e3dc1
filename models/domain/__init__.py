"""What a portfolio says: frozen records, one file per group of tables."""
