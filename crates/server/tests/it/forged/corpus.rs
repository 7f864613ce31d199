//! The forgeries, each with the name of its trick.

mod claims;
mod encoding;
mod person;
mod signature;

use super::forge::Forge;
use crate::gateway::Bed;

type Corpus = Vec<(String, String)>;

pub(super) async fn all(bed: &Bed, forge: &Forge) -> Corpus {
    let mut all = Vec::new();
    signature::algorithms(forge, &mut all);
    signature::keys(bed, forge, &mut all);
    signature::headers(forge, &mut all);
    claims::claims_of_any_kind(forge, &mut all);
    claims::issuer_audience_subject(forge, &mut all);
    claims::times(forge, &mut all);
    claims::credential(bed, forge, &mut all).await;
    encoding::encodings(bed, forge, &mut all);
    encoding::shapes(bed, forge, &mut all);
    all
}

/// The same of a person's token: what is wrong is a claim, and the key is the right one.
pub(super) async fn of_person(bed: &Bed, forge: &Forge) -> Corpus {
    let mut all = Vec::new();
    signature::algorithms(forge, &mut all);
    signature::headers(forge, &mut all);
    claims::claims_of_any_kind(forge, &mut all);
    claims::times(forge, &mut all);
    person::shapes(bed, forge, &mut all).await;
    person::whose(bed, forge, &mut all).await;
    all
}

fn add(all: &mut Corpus, name: impl Into<String>, token: String) {
    all.push((name.into(), token));
}
