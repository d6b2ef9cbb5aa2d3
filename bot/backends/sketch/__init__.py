"""The built-in painter: no model, no download."""
