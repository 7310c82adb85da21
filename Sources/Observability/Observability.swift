// Observability: see README.md of this room.
