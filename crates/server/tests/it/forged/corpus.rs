//! The forgeries, each with the name of its trick.

mod claims;
mod encoding;
mod signature;

use super::forge::Forge;
use crate::harness::Bed;

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
fn add(all: &mut Corpus, name: impl Into<String>, token: String) {
    all.push((name.into(), token));
}
