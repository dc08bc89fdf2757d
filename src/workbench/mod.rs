//! The whole story without a window and without a command line: commands in, events out.
