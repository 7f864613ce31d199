//! Hashes in PHC form, computed in memory that the caller keeps.

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
use recado_model::{Error, Result, Rng};

use crate::password::Password;

/// Of a hash in the database: what nobody set in good faith would stop the gateway.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 4;

pub type SaltBytes = [u8; 16];

pub fn salt(rng: &dyn Rng) -> SaltBytes {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    salt
}

/// A new hash, with the parameters of today.
pub fn hash(password: &Password, salt: &SaltBytes, memory: &mut Vec<Block>) -> Result<String> {
    let output = derive(&Argon2::default(), password, salt, 32, memory)?;
    phc(salt, output)
}

/// A hash that no password has: it costs what a real one does, and was never computed.
pub fn dummy(rng: &dyn Rng) -> Result<String> {
    let mut output = [0; 32];
    rng.fill(&mut output);
    phc(&salt(rng), Output::new(&output).map_err(Error::internal)?)
}

fn phc(salt: &SaltBytes, output: Output) -> Result<String> {
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(Argon2::default().params()).map_err(Error::internal)?,
        salt: Some(Salt::new(salt).map_err(Error::internal)?),
        hash: Some(output),
    }
    .to_string())
}

fn derive(
    argon: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    output_len: usize,
    memory: &mut Vec<Block>,
) -> Result<Output> {
    let mut buffer = [0; Output::MAX_LENGTH];
    let output = buffer
        .get_mut(..output_len)
        .ok_or_else(|| Error::internal("an overlong password hash"))?;
    // Kept between hashes: the system would have to clear 19 MiB of fresh pages for each.
    memory.resize(argon.params().block_count(), Block::new());
    argon
        .hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt,
            output,
            memory.as_mut_slice(),
        )
        .map_err(|error| Error::internal(error.to_string()))?;
    Output::new(output).map_err(Error::internal)
}

/// A hash from the database.
pub struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    /// # Errors
    /// The fault in its form. The text holds nothing of the hash.
    pub fn parse(phc: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(phc).map_err(|_| "not a PHC string")?;
        let algorithm =
            Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| "not an Argon2 hash")?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).map_err(|_| "an unknown version")?,
            None => Version::V0x10,
        };
        let params = Params::try_from(&hash).map_err(|_| "parameters that cannot be")?;
        if params.m_cost() > MAX_MEMORY_KIB
            || params.t_cost() > MAX_PASSES
            || params.p_cost() > MAX_LANES
        {
            return Err("parameters beyond reason");
        }
        Ok(Self {
            algorithm,
            version,
            params,
            salt: hash.salt.ok_or("no salt")?,
            output: hash.hash.ok_or("no hash")?,
        })
    }

    /// In constant time, once computed.
    pub fn matches(&self, password: &Password, memory: &mut Vec<Block>) -> Result<bool> {
        let argon = Argon2::new(self.algorithm, self.version, self.params.clone());
        let output = derive(
            &argon,
            password,
            &self.salt,
            self.output.as_bytes().len(),
            memory,
        )?;
        Ok(output == self.output)
    }

    /// Whether a new hash would be made the same way.
    pub fn is_current(&self) -> bool {
        let today = Params::default();
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::default()
            && self.params.m_cost() == today.m_cost()
            && self.params.t_cost() == today.t_cost()
            && self.params.p_cost() == today.p_cost()
            && self.output.as_bytes().len() == 32
    }
}
