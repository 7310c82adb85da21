// Mesh: see README.md of this room.
