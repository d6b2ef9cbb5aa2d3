"""The AUTOMATIC1111 API and its kin."""
