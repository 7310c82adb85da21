// CommandLine: see README.md of this room.
