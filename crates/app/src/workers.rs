//! What the program does by itself, again and again.

pub mod guests;
