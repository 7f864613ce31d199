//! Is a password, as a whole, among the first that an attacker tries?
//!
//! The standard wants whole passwords compared, not words inside of them: "my recado of last winter" is
//! fine, "Recado-Recado-2026" is not.

use super::folded;

/// Guesses. An attacker who may guess on line gets through far fewer, for the limits of failed proofs; and
/// what several unrelated words or random letters give lies far above.
const MIN_GUESSES: u64 = 100_000_000;
/// The estimate looks at so many characters: its work grows with the square of them, and with the number of
/// ways to read digits and signs as letters (50 ms for the worst 24 characters, 700 ms for the worst 100).
/// Whatever follows can only make a password harder, so a good beginning decides.
const ESTIMATED_CHARS: usize = 24;
/// A context word with fewer digits and signs around it is still that word; with more, the estimate decides.
const FEW: usize = 10;

/// Whether nothing but context words, repeated or joined, is left without digits and punctuation.
pub fn is_made_of(password: &str, context: &[&str]) -> bool {
    let password = folded(password);
    let letters = letters_of(&password);
    let others = |c: &char| !c.is_alphabetic() && !c.is_whitespace();
    if letters.is_empty() || password.chars().filter(others).count() >= FEW {
        return false;
    }
    let words: Vec<Vec<char>> = words_of(context)
        .iter()
        .map(|word| letters_of(word))
        .filter(|word| word.len() >= 3)
        .collect();
    // reached[n]: the first n letters are made of words.
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for end in 1..=letters.len() {
        reached[end] = words.iter().any(|word| {
            end >= word.len() && reached[end - word.len()] && letters[..end].ends_with(word)
        });
    }
    reached[letters.len()]
}

/// Whether an attacker who knows common passwords, names, keyboards, sequences and `context` gets to it in
/// few guesses.
pub fn is_tried_early(password: &str, context: &[&str]) -> bool {
    let start: String = password.chars().take(ESTIMATED_CHARS).collect();
    let words = words_of(context);
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    zxcvbn::zxcvbn(&start, &known).guesses() < MIN_GUESSES
}

/// Ourselves, each context as it is, an e-mail's local part, and the words in all of them.
fn words_of(context: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = ["recado", "whatsapp"].map(String::from).into();
    for text in context {
        let text = folded(text.trim());
        let local = text.split_once('@').map(|(local, _)| local.to_owned());
        words.extend(
            text.split(|c: char| !c.is_alphanumeric())
                .filter(|word| word.chars().count() >= 3)
                .map(String::from),
        );
        words.extend(local);
        words.push(text);
    }
    words.retain(|word| !word.is_empty());
    words
}

fn letters_of(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}
