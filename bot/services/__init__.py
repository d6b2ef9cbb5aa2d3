"""What the bot does, told without Discord, HTTP or SQL."""
