"""The only Docker code of the hub: no Django, no database, and no SDK error leaves it."""
