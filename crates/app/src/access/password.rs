//! Passwords of people: Argon2id, hashed off the async threads.

use argon2::{Argon2, password_hash::PasswordHasher};
use recado_model::{Error, Result, Rng, Secret};

/// A password nobody has to think up: 20 characters, about 119 bits, without look-alikes.
pub fn generate(rng: &dyn Rng) -> Secret {
    const CHARS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    Secret::new(
        (0..20)
            .map(|_| CHARS[rng.below(CHARS.len() as u64) as usize] as char)
            .collect::<String>(),
    )
}

/// The PHC string (`$argon2id$…`) to keep.
pub async fn hash(password: &Secret, rng: &dyn Rng) -> Result<String> {
    let mut salt = [0u8; 16];
    rng.fill(&mut salt);
    let password = password.clone();
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password_with_salt(password.expose().as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|error| Error::internal(error.to_string()))
    })
    .await
    .map_err(Error::internal)?
}
