"""A stand-in for the vendor's SDK: the names that the replay script uses, and nothing of what they do."""
