"""Makes the rows say what a YAML file says: read and checked whole, compared, then changed in one transaction."""
