"""One file per command family: a command reads options, calls one service, draws the answer."""
