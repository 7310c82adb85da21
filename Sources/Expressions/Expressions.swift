// Expressions: see README.md of this room.
