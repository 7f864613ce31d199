//! Something to choose from: buttons, or a list. WhatsApp no longer shows those of linked devices reliably, so
//! they are written as a text with numbers, and an answer with a number is the choice; or, where the caller wants
//! that, in WhatsApp's own form.

use serde::{Deserialize, Serialize};

use super::Text;
use crate::{Error, MessageId, Result, text::is_blank};

/// In characters.
const LINE_MOST: usize = 256;
const BUTTONS_MOST: usize = 20;
const ROWS_MOST: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// As a person reads it, with a number before each option.
    pub text: Text,
    /// In the order of their numbers, which begin at 1.
    pub options: Vec<MenuOption>,
    /// In WhatsApp's own form; `None`: as the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeMenu>,
}

/// The parts of a menu as WhatsApp's own form has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NativeMenu {
    pub title: Option<String>,
    pub body: String,
    pub footer: Option<String>,
    /// `None`: the options are buttons.
    pub list: Option<NativeList>,
}

/// A list behind a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NativeList {
    pub button_text: String,
    /// With the ids that the options have.
    pub sections: Vec<Section>,
}

/// An option that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuOption {
    /// The caller's own.
    pub id: String,
    pub text: String,
}

/// A choice, and of which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub message: MessageId,
    pub option: MenuOption,
}

/// A tap on an option, as the phone tells it: both are the sender's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    pub menu: MessageId,
    pub option_id: String,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Section {
    pub title: Option<String>,
    pub rows: Vec<Row>,
}

/// An option of a list, as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub description: Option<String>,
}

/// The texts of a list beside its options.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    pub title: String,
    pub description: String,
    pub button_text: String,
    pub footer: Option<String>,
}

impl Menu {
    /// In WhatsApp's own form; [`Menu::as_text`] makes a numbered text of it.
    ///
    /// # Errors
    /// For the field that does not fit: `message`, `buttons` or `footer`.
    pub fn of_buttons(
        message: &str,
        buttons: Vec<(String, String)>,
        footer: Option<&str>,
    ) -> Result<Self> {
        Text::new(message)?;
        let mut options = Options::new("buttons", BUTTONS_MOST);
        let mut lines = vec![message.to_owned(), String::new()];
        for (id, text) in buttons {
            lines.push(options.add(id, &text, "text")?);
        }
        let native = NativeMenu {
            title: None,
            body: message.to_owned(),
            footer: None,
            list: None,
        };
        options.finish(lines, "message", footer, native)
    }

    /// In WhatsApp's own form; [`Menu::as_text`] makes a numbered text of it.
    ///
    /// # Errors
    /// For the field that does not fit: `title`, `description`, `button_text`, `sections` or `footer`.
    pub fn of_list(heading: &Heading, sections: Vec<Section>) -> Result<Self> {
        for (field, text) in [
            ("title", &heading.title),
            ("description", &heading.description),
            ("button_text", &heading.button_text),
        ] {
            required(field, text)?;
        }
        let mut options = Options::new("sections", ROWS_MOST);
        let mut lines = vec![
            format!("*{}*", heading.title.trim()),
            heading.description.clone(),
        ];
        let mut native = Vec::with_capacity(sections.len());
        for section in sections {
            lines.push(String::new());
            native.push(options.add_section(section, &mut lines)?);
        }
        let native = NativeMenu {
            title: Some(heading.title.trim().to_owned()),
            body: heading.description.clone(),
            footer: None,
            list: Some(NativeList {
                button_text: heading.button_text.trim().to_owned(),
                sections: native,
            }),
        };
        options.finish(lines, "sections", heading.footer.as_deref(), native)
    }

    /// As a text with numbers, which every phone shows.
    pub fn as_text(self) -> Self {
        Self {
            native: None,
            ..self
        }
    }

    /// Whether an answer is a number, as people write it.
    pub fn is_number(answer: &str) -> bool {
        let number = answer.trim().trim_end_matches(['.', ')']);
        (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
    }

    /// The option that an answer chooses: the number of an option, or its words.
    pub fn chosen<'a>(options: &'a [MenuOption], answer: &str) -> Option<&'a MenuOption> {
        let answer = answer.trim();
        if Self::is_number(answer) {
            let number: usize = answer.trim_end_matches(['.', ')']).parse().ok()?;
            return options.get(number.checked_sub(1)?);
        }
        let words = answer.to_lowercase();
        options
            .iter()
            .find(|option| option.text.to_lowercase() == words)
    }
}

/// The options of a menu as they are numbered.
struct Options {
    field: &'static str,
    most: usize,
    all: Vec<MenuOption>,
}

impl Options {
    fn new(field: &'static str, most: usize) -> Self {
        Self {
            field,
            most,
            all: Vec::new(),
        }
    }

    /// Its line. An option without an id has its number for one.
    fn add(&mut self, id: String, text: &str, called: &str) -> Result<String> {
        let (field, number) = (self.field, self.all.len() + 1);
        let text = text.trim();
        if is_blank(text) || text.contains(['\n', '\r']) {
            let wrong =
                format!("{field}: the {called} of option {number} is one line that can be seen");
            return Err(Error::field(field, wrong));
        }
        bounded(field, text)?;
        bounded(field, &id)?;
        let id = match is_blank(&id) {
            true => number.to_string(),
            false => id,
        };
        if self.all.iter().any(|option| option.id == id) {
            let wrong = format!("{field}: two options have the id {id}");
            return Err(Error::field(field, wrong));
        }
        if number > self.most {
            let wrong = format!("{field} has at most {} options", self.most);
            return Err(Error::field(field, wrong));
        }
        self.all.push(MenuOption {
            id,
            text: text.to_owned(),
        });
        Ok(format!("{number}. {text}"))
    }

    /// A part of a list, with the ids that its options got.
    fn add_section(&mut self, section: Section, lines: &mut Vec<String>) -> Result<Section> {
        let title = seen(self.field, section.title)?;
        lines.extend(title.as_ref().map(|title| format!("*{title}*")));
        let mut rows = Vec::with_capacity(section.rows.len());
        for row in section.rows {
            let mut line = self.add(row.id, &row.title, "title")?;
            let description = seen(self.field, row.description)?;
            if let Some(more) = &description {
                line.push_str(" - ");
                line.push_str(more);
            }
            lines.push(line);
            let option = self.all.last().cloned();
            rows.extend(option.map(|MenuOption { id, text }| Row {
                id,
                title: text,
                description,
            }));
        }
        Ok(Section { title, rows })
    }

    fn finish(
        self,
        mut lines: Vec<String>,
        long: &'static str,
        footer: Option<&str>,
        native: NativeMenu,
    ) -> Result<Menu> {
        if self.all.is_empty() {
            let field = self.field;
            let wrong = format!("{field} is required: what can be chosen");
            return Err(Error::field(field, wrong));
        }
        let footer = seen("footer", footer.map(ToOwned::to_owned))?;
        if let Some(footer) = &footer {
            lines.extend([String::new(), footer.clone()]);
        }
        let text = Text::new(lines.join("\n")).map_err(|error| error.renamed("message", long))?;
        Ok(Menu {
            text,
            options: self.all,
            native: Some(NativeMenu { footer, ..native }),
        })
    }
}

/// A line that need not be there, without the blanks around it.
fn seen(field: &'static str, line: Option<String>) -> Result<Option<String>> {
    let Some(line) = line.filter(|line| !is_blank(line)) else {
        return Ok(None);
    };
    bounded(field, &line)?;
    Ok(Some(line.trim().to_owned()))
}

fn required(field: &'static str, text: &str) -> Result<()> {
    if is_blank(text) {
        let wrong = format!("{field} is required: a text that can be seen");
        return Err(Error::field(field, wrong));
    }
    match field {
        // The body of the list may be long.
        "description" => Text::new(text)
            .map(drop)
            .map_err(|error| error.renamed("message", field)),
        _ => bounded(field, text),
    }
}

fn bounded(field: &'static str, text: &str) -> Result<()> {
    match text.chars().count() > LINE_MOST {
        true => {
            let wrong =
                format!("{field}: a title, an id or a line has at most {LINE_MOST} characters");
            Err(Error::field(field, wrong))
        }
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buttons(all: &[(&str, &str)]) -> Vec<(String, String)> {
        let all = all.iter();
        all.map(|(id, text)| ((*id).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn buttons_are_numbered() {
        let two = buttons(&[("yes", "Yes, please"), ("", "No")]);
        let menu = Menu::of_buttons("Tea?", two, Some("Tea house")).expect("a menu");
        assert_eq!(
            menu.text.as_str(),
            "Tea?\n\n1. Yes, please\n2. No\n\nTea house"
        );
        for (answer, id) in [
            ("1", Some("yes")),
            (" 2. ", Some("2")),
            ("yes, PLEASE", Some("yes")),
            ("0", None),
            ("3", None),
            ("99999999999999999999999", None),
            ("maybe", None),
            ("", None),
        ] {
            let chosen = Menu::chosen(&menu.options, answer);
            assert_eq!(chosen.map(|option| option.id.as_str()), id, "{answer}");
        }
        for (bad, field) in [
            (
                Menu::of_buttons("", buttons(&[("a", "A")]), None),
                "message",
            ),
            (Menu::of_buttons("Tea?", Vec::new(), None), "buttons"),
            (
                Menu::of_buttons("Tea?", buttons(&[("a", " ")]), None),
                "buttons",
            ),
            (
                Menu::of_buttons("Tea?", buttons(&[("a", "A"), ("a", "B")]), None),
                "buttons",
            ),
            (
                Menu::of_buttons("Tea?", buttons(&[("a", "A")]), Some(&"x".repeat(257))),
                "footer",
            ),
        ] {
            assert_eq!(bad.expect_err("no menu").field, Some(field));
        }
    }

    #[test]
    fn a_list_is_numbered_through_its_sections() {
        let heading = Heading {
            title: "Menu".into(),
            description: "What would you like?".into(),
            button_text: "Choose".into(),
            footer: None,
        };
        let row = |id: &str, title: &str, description: Option<&str>| Row {
            id: id.into(),
            title: title.into(),
            description: description.map(str::to_owned),
        };
        let sections = vec![
            Section {
                title: Some("Hot".into()),
                rows: vec![row("tea", "Tea", Some("green"))],
            },
            Section {
                title: None,
                rows: vec![row("water", "Water", None)],
            },
        ];
        let menu = Menu::of_list(&heading, sections).expect("a menu");
        assert_eq!(
            menu.text.as_str(),
            "*Menu*\nWhat would you like?\n\n*Hot*\n1. Tea - green\n\n2. Water"
        );
        assert_eq!(menu.options[1].id, "water");
        let none = Menu::of_list(&heading, Vec::new()).expect_err("nothing to choose");
        assert_eq!(none.field, Some("sections"));
    }
}
