use recado_model::clock::OsRng;

use super::*;

/// RFC 6238, appendix B: its seed, and the last six of its eight digits.
const VECTORS: [(i64, &str); 6] = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
];

fn rfc_seed() -> Seed {
    Seed::from_bytes(b"12345678901234567890")
}

fn secs(secs: i64) -> Timestamp {
    Timestamp(secs * 1000)
}

fn code(seed: &Seed, step: i64) -> String {
    seed.code(secs(step * STEP_SECS)).expose().to_owned()
}

#[test]
fn the_vectors_of_the_rfc() {
    let seed = rfc_seed();
    for (at, code) in VECTORS {
        assert_eq!(seed.code(secs(at)).expose(), code);
        assert_eq!(matching_step(&seed, code, secs(at), 0), Some(at / 30));
    }
}

#[test]
fn one_step_to_either_side_counts_and_no_more() {
    let seed = rfc_seed();
    let step = 59_000_001;
    // Both ends of the half minute.
    for now in [secs(step * 30), Timestamp(step * 30_000 + 29_999)] {
        let found: Vec<_> = (step - 3..=step + 3)
            .map(|of| matching_step(&seed, &code(&seed, of), now, 0))
            .collect();
        let (before, after) = (Some(step - 1), Some(step + 1));
        assert_eq!(found, [None, None, before, Some(step), after, None, None]);
    }
}

#[test]
fn a_code_works_once_and_uses_up_those_before_it() {
    let seed = rfc_seed();
    let step = 59_000_001;
    let now = secs(step * 30 + 7);
    let used = matching_step(&seed, &code(&seed, step), now, 0);
    assert_eq!(used, Some(step));
    let again = |of: i64, now| matching_step(&seed, &code(&seed, of), now, step);
    assert_eq!(again(step, now), None);
    assert_eq!(again(step - 1, now), None);
    assert_eq!(again(step, secs((step + 1) * 30)), None);
    assert_eq!(again(step + 1, now), Some(step + 1));
}

/// A code was used while the clock was ahead.
#[test]
fn a_step_far_ahead_shuts_nobody_out() {
    let seed = rfc_seed();
    let step = 59_000_001;
    let now = secs(step * 30);
    for (last, found) in [
        (step, None),
        (step + 1, None),
        (step + 2, None),
        (step + 3, Some(step)),
        (step + 2_000_000, Some(step)),
    ] {
        assert_eq!(
            matching_step(&seed, &code(&seed, step), now, last),
            found,
            "{last}"
        );
    }
}

#[test]
fn spaces_are_fine_and_other_forms_are_not() {
    let seed = rfc_seed();
    let now = secs(59);
    for good in ["287082", "287 082", " 28 70 82\n", "287\u{a0}082"] {
        assert_eq!(matching_step(&seed, good, now, 0), Some(1), "{good:?}");
    }
    let overlong = format!("287082{}", " ".repeat(64));
    for bad in [
        "",
        "28708",
        "2870820",
        "+87082",
        "-87082",
        "28708x",
        "٢٨٧٠٨٢",
        "94287082",
        "287082\0",
        &overlong,
    ] {
        assert_eq!(matching_step(&seed, bad, now, 0), None, "{bad:?}");
    }
}

#[test]
fn the_seeds_of_others_and_strange_clocks_do_not_match() {
    let (a, b) = (Seed::random(&OsRng), Seed::random(&OsRng));
    assert_ne!(a, b);
    let now = secs(59_000_001 * 30);
    let other = (-1..=1).any(|n| code(&b, 59_000_001 + n) == code(&a, 59_000_001));
    assert_eq!(
        matching_step(&b, &code(&a, 59_000_001), now, 0).is_some(),
        other
    );
    for now in [i64::MIN, -1, 0, i64::MAX] {
        let found = matching_step(&a, "no code", Timestamp(now), i64::MAX);
        assert_eq!(found, None);
        let _no_panic = matching_step(&a, "123456", Timestamp(now), i64::MIN);
    }
}

#[test]
fn what_the_authenticator_reads() {
    let seed = rfc_seed();
    assert_eq!(seed.base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(
        Seed::from_base32(seed.base32().expose()),
        Some(seed.clone())
    );
    assert_eq!(Seed::from_bytes(seed.as_bytes()), seed);
    assert_eq!(Seed::from_base32("no base32 at all!"), None);
    let random = Seed::random(&OsRng);
    assert_eq!(random.as_bytes().len(), 20);
    assert_eq!(random.base32().expose().len(), 32);
    let url = seed.otpauth_url("Padaria: João & Filhos", "ana+x@shop.example");
    assert_eq!(
        url.expose(),
        "otpauth://totp/Padaria%20%20Jo%C3%A3o%20%26%20Filhos:ana%2Bx%40shop.example\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Padaria%20%20Jo%C3%A3o%20%26%20Filhos"
    );
    assert_eq!(format!("{seed:?} {url:?}"), "Seed(…) Secret(…)");
}
