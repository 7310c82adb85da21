// Formats: see README.md of this room.
