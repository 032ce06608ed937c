"""From a fresh checkout to a running hub. Standard library only: it runs before any dependency is there."""
