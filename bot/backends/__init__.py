"""One Backend protocol, one folder per kind of server."""
