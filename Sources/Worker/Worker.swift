// Worker: see README.md of this room.
