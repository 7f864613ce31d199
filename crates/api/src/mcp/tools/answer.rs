//! The answer of a tool: text first, because that is where the contract's clients look.

use recado_model::{Error, Result};
use rmcp::model::ContentBlock;
use serde::Serialize;

/// Characters of text in one result.
const LIMIT: usize = 50_000;

/// The content of a tool's result.
pub struct ToolAnswer(Vec<ContentBlock>);

impl ToolAnswer {
    /// A structured outcome, as JSON in the first text.
    pub fn json<T: Serialize>(value: &T) -> Result<Self> {
        let text = serde_json::to_string(value).map_err(Error::internal)?;
        Ok(Self(vec![ContentBlock::text(cut(text))]))
    }

    /// A picture after the text.
    pub fn with_png(mut self, base64: String) -> Self {
        self.0.push(ContentBlock::image(base64, "image/png"));
        self
    }

    pub(super) fn into_content(self) -> Vec<ContentBlock> {
        self.0
    }
}

fn cut(text: String) -> String {
    let length = text.chars().count();
    if length <= LIMIT {
        return text;
    }
    let kept: String = text.chars().take(LIMIT).collect();
    format!(
        "{kept}\n\n⚠️ [TRUNCADO] La respuesta original tenia {} caracteres. Usa parametros de filtro (period, limit, days, etc.) para reducir los datos.",
        grouped(length)
    )
}

/// `75,000`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_cut_and_say_so() {
        assert_eq!(cut("corto".into()), "corto");
        let text = cut("ñ".repeat(75_000));
        assert!(text.contains("tenia 75,000 caracteres"));
        assert_eq!(text.chars().filter(|c| *c == 'ñ').count(), LIMIT);
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
