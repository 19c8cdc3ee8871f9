"""What a studio must stand: killed at any moment, asked anything. `make torture` is the long form; a short one is in the
suite."""
