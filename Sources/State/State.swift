// State: see README.md of this room.
