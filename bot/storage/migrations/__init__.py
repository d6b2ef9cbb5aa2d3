"""The history of the tables, run by ``bot.storage.database`` whenever a database is opened."""
