//! The core flow's order, on one screen.
