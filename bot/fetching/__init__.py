"""Safe downloads."""
