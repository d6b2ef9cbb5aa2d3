"""A model that looks at finished pictures, in a process of its own."""
