// Engine: see README.md of this room.
