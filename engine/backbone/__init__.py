"""The frozen weights and what happens on them: loading, the lease, adapters, and one conversation's key-value cache."""
