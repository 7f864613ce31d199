//! The least role that a row asks of a person, and whether the password must have been asked for.

use recado_model::Role;

/// The least role that a row asks of a person.
pub trait Least: Send + Sync + 'static {
    const ROLE: Role;
}

/// Types for [`Least`].
pub mod least {
    use super::{Least, Role};

    macro_rules! roles {
        ($($name:ident),*) => {$(
            pub struct $name;
            impl Least for $name { const ROLE: Role = Role::$name; }
        )*};
    }
    roles!(Viewer, Developer, Admin, Owner);
}

/// Whether the password must have been asked for lately.
pub trait When: Send + Sync + 'static {
    const CONFIRMED: bool;
}

/// Signed in is enough.
pub struct Anytime;
/// The password was asked for in the last minutes: what shows or changes secrets.
pub struct Confirmed;

impl When for Anytime {
    const CONFIRMED: bool = false;
}

impl When for Confirmed {
    const CONFIRMED: bool = true;
}
