"""How a record is written for others: as it is, or in a schema that their tools know."""
