//! The names of all settings, as serde knows them: what is not among them is refused, with the nearest.

use std::sync::OnceLock;

use figment::{
    Figment,
    error::Kind,
    providers::{Format, Toml},
};

use super::{DEFAULT, Settings};

/// Every setting as the file has it, sections with a dot: `listen`, `limits.body_bytes`.
pub fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let defaults = Figment::from(Toml::string(DEFAULT));
        let mut names = Vec::new();
        for name in fields(&defaults, "").unwrap_or_default() {
            match fields(&defaults, name) {
                Some(fields) => names.extend(fields.iter().map(|field| format!("{name}.{field}"))),
                None => names.push((*name).to_owned()),
            }
        }
        names
    })
}

/// The names in a section (`""` is the top). Serde tells it to whoever asks for a name that is none.
fn fields(defaults: &Figment, section: &str) -> Option<&'static [&'static str]> {
    let stray = match section {
        "" => "?".to_owned(),
        section => format!("{section}.?"),
    };
    let asked = defaults.clone().merge((stray, true));
    match asked.extract::<Settings>().err()?.kind {
        Kind::UnknownField(_, fields) => Some(fields),
        _ => None,
    }
}

/// The environment variable of a setting: `RECADO_LIMITS__BODY_BYTES`.
pub fn variable(name: &str) -> String {
    format!("RECADO_{}", name.replace('.', "__").to_ascii_uppercase())
}

/// The known name that is most like `name`, which may lack its section or have it joined with one `_`.
pub(super) fn nearest(name: &str) -> &'static str {
    let plain = |name: &str| name.replace("__", "_").replace('.', "_");
    let asked = plain(name);
    let likeness = |known: &str| {
        let whole = strsim::normalized_damerau_levenshtein(&asked, &plain(known));
        let alone = known.rsplit('.').next().unwrap_or(known);
        // The section counts too, so that of two settings of one name the right one is nearer.
        whole.max(0.9 * strsim::normalized_damerau_levenshtein(&asked, alone))
    };
    let best = names()
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    best.map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented() {
        assert!(names().len() > 50, "{:?}", names());
        for name in names() {
            let variable = variable(name);
            // Of a secret, the file that it is read from is a line of its own.
            let alone = name.rsplit('.').next().expect("a name");
            let told = DEFAULT.contains(&variable) || DEFAULT.contains(&format!("\n# {alone} = "));
            assert!(told, "{variable}");
        }
    }

    #[test]
    fn the_nearest_is_meant() {
        for (written, meant) in [
            ("lisen", "listen"),
            ("webhooks.timeot_ms", "webhooks.timeout_ms"),
            ("direct_guests", "direct.guests"),
            ("body_bytes", "limits.body_bytes"),
            ("database_uri", "database_url"),
            ("mail__from_address", "mail.from"),
            ("wehbooks", "webhooks.concurrency"),
        ] {
            let found = nearest(written);
            let same_section =
                |name: &str| name.split_once('.').map(|(section, _)| section.to_owned());
            assert!(
                found == meant
                    || same_section(found).is_some() && same_section(found) == same_section(meant),
                "{written}: {found}"
            );
        }
    }
}
