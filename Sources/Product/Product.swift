// Product: see README.md of this room.
