//! A row's effect in words: the name and the doc comment of its handler.

/// Made by the table, from what `#[operation]` put beside the handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    handler: &'static [&'static str],
    text: &'static str,
}

impl Operation {
    pub(crate) fn new(handler: &'static [&'static str], text: &'static str) -> Self {
        Self { handler, text }
    }

    /// `rest::chat::send_text` is `chatSendText`: what most callers mean has no word for its surface.
    pub fn id(&self) -> String {
        let path = match self.handler {
            ["rest", below @ ..] => below,
            path => path,
        };
        let words = path.iter().flat_map(|part| part.split('_'));
        let mut id = String::new();
        for word in words {
            let (first, rest) = word.split_at(word.len().min(1));
            match id.is_empty() {
                true => id.push_str(first),
                false => id.push_str(&first.to_ascii_uppercase()),
            }
            id.push_str(rest);
        }
        id
    }

    /// The first paragraph: what it does, in one sentence.
    pub fn summary(&self) -> String {
        self.paragraphs().next().unwrap_or_default()
    }

    /// The other paragraphs.
    pub fn description(&self) -> impl Iterator<Item = String> {
        self.paragraphs().skip(1)
    }

    fn paragraphs(&self) -> impl Iterator<Item = String> {
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        let paragraphs = lines.split(|line| line.is_empty());
        let whole: Vec<String> = paragraphs.map(|lines| lines.join(" ")).collect();
        whole.into_iter().filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_put_together() {
        let text = " Does it\n at once.\n\n Or\n later.\n\n Or never.";
        let operation = Operation::new(&["rest", "chat", "send_text"], text);
        assert_eq!(operation.id(), "chatSendText");
        assert_eq!(operation.summary(), "Does it at once.");
        let rest: Vec<String> = operation.description().collect();
        assert_eq!(rest, ["Or later.", "Or never."]);
        assert_eq!(Operation::default().summary(), "");
    }
}
