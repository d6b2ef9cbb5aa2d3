"""Tables, queries, migrations and blobs."""
