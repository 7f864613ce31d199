//! Whether a number begins with a country's code. One that does not was written without it, and would
//! go to a stranger, or to nobody.

/// Codes that the ITU has given to nobody: E.164's list of assigned country codes, turned round. All
/// others are taken, also those that only a network or a service has.
const NOBODYS: &[&str] = &[
    "210", "214", "215", "217", "219", "259", "28", "292", "293", "294", "295", "296", "384",
    "388", "422", "424", "425", "426", "427", "428", "429", "671", "684", "693", "694", "695",
    "696", "697", "698", "699", "801", "802", "803", "804", "805", "806", "807", "809", "83",
    "851", "854", "857", "858", "859", "871", "872", "873", "874", "875", "876", "877", "879",
    "884", "885", "887", "889", "89", "978", "990", "997", "999",
];

/// Whether some country's numbers begin so.
pub(super) fn begins(digits: &str) -> bool {
    if digits.starts_with('1') {
        return is_north_american(digits.as_bytes());
    }
    !NOBODYS.iter().any(|code| digits.starts_with(code))
}

/// Eleven digits, the area code from 200 on; a 9 in its middle is kept for longer numbers some day.
fn is_north_american(digits: &[u8]) -> bool {
    matches!(digits, [b'1', b'2'..=b'9', middle, ..] if digits.len() == 11 && *middle != b'9')
}

/// The error for a number that begins with no country's code.
pub(super) fn missing(digits: &str) -> String {
    match brazilian(digits) {
        Some(whole) => format!("phone: country code missing? for Brazil write {whole}"),
        None => {
            "phone: country code missing? write it first, for example 55 11 99999-0002 for Brazil"
                .to_owned()
        }
    }
}

/// A number as it is written inside Brazil, written in full: area code, then nine digits of a mobile,
/// which begin with 9, or eight of a landline.
fn brazilian(digits: &str) -> Option<String> {
    let (area, rest) = digits.split_at_checked(2)?;
    let fits = match rest.len() {
        9 => rest.starts_with('9'),
        8 => rest.starts_with(['2', '3', '4', '5']),
        _ => false,
    };
    if !fits || area.contains('0') {
        return None;
    }
    let (first, last) = rest.split_at(rest.len() - 4);
    Some(format!("55 {area} {first}-{last}"))
}
