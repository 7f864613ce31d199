//! Faults from the field at the start and at the terminal (docs/field-faults.md).

mod databases;
mod life;
mod settings;
mod terminal;
