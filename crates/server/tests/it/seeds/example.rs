//! The documents' examples, read as a shell and as Python would.

use serde_json::Value;

use crate::{
    call::Call,
    gateway::{Answer, Bed},
};

/// What a line of an example sends.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// `text` with each placeholder replaced. One that is not there is a mistake of the test.
pub(super) fn filled(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        assert!(text.contains(name), "{name} is not in {text}");
        text.replace(name, value)
    })
}

/// The words of a command: quotes group, a backslash before a line's end joins it with the next.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (_, Some(end)) if c == end => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('\\', None) => assert_eq!(chars.next(), Some('\n'), "only lines are continued"),
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "an open quote");
    words.extend(word);
    words
}

impl Request {
    /// A line of curl, with `host` taken off its address.
    pub(super) fn of_curl(line: &str, host: &str) -> Self {
        let mut words = words(line).into_iter();
        assert_eq!(words.next().as_deref(), Some("curl"));
        let mut request = Self {
            method: "GET".to_owned(),
            path: String::new(),
            headers: vec![("accept".to_owned(), "*/*".to_owned())],
            body: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("an option's value");
            match word.as_str() {
                "-X" => request.method = value(),
                "-H" => {
                    let header = value();
                    let (name, value) = header.split_once(": ").expect("a header");
                    request.headers.push((name.to_owned(), value.to_owned()));
                }
                "-d" => request.body = Some(value()),
                url => {
                    let path = url.strip_prefix(host).expect("the host of the document");
                    request.path = path.to_owned();
                }
            }
        }
        request
    }

    /// The example in Python: `requests.post(URL, headers={…}, json={…})`.
    pub(super) fn of_python(script: &str, host: &str) -> Self {
        let assigned = |name: &str| {
            let line = script.lines().find_map(|line| line.strip_prefix(name));
            let text = line
                .and_then(|line| line.strip_prefix(" = "))
                .expect("an assignment");
            text.trim_matches('"').to_owned()
        };
        let (token, url) = (assigned("TOKEN"), assigned("URL"));
        assert!(script.contains("requests.post(\nURL,\n"), "{script}");
        let headers: Value = parsed(&argument(script, "headers="), &token);
        let object = headers.as_object().expect("an object");
        let mut headers = vec![("accept".to_owned(), "*/*".to_owned())];
        for (name, value) in object {
            headers.push((name.clone(), value.as_str().expect("text").to_owned()));
        }
        Self {
            method: "POST".to_owned(),
            path: url
                .strip_prefix(host)
                .expect("the host of the document")
                .to_owned(),
            headers,
            body: Some(parsed(&argument(script, "json="), &token).to_string()),
        }
    }

    pub(super) fn call(&self, bed: &Bed) -> Call {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let call = bed.call(&self.method, &self.path).headers(headers);
        match &self.body {
            Some(body) => call.body(body.clone()),
            None => call,
        }
    }

    pub(super) async fn send(&self, bed: &Bed) -> Answer {
        self.call(bed).send().await
    }

    /// Without the header of that name.
    pub(super) fn without(mut self, name: &str) -> Self {
        let before = self.headers.len();
        self.headers
            .retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        assert!(self.headers.len() < before, "{name} is not there");
        self
    }

    /// With another value for a header that it has.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let found = self
            .headers
            .iter_mut()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        value.clone_into(&mut found.expect("that header").1);
        self
    }
}

/// The braces after `name`.
fn argument(script: &str, name: &str) -> String {
    let (_, rest) = script.split_once(name).expect("the argument");
    let mut depth = 0;
    let end = rest.char_indices().find(|(_, c)| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0
    });
    rest[..=end.expect("a closing brace").0].to_owned()
}

/// A dictionary of texts and numbers is JSON, but for the one text with a name in it.
fn parsed(dictionary: &str, token: &str) -> Value {
    let json = dictionary.replace("f\"Bearer {TOKEN}\"", &format!("\"Bearer {token}\""));
    serde_json::from_str(&json).expect("a plain dictionary")
}

#[test]
fn the_reader_reads_as_a_shell_does() {
    let line = "curl -X POST \"https://h.example/a b\" \\\n-H 'X: \"y\"' -d '{\"a\": 1,\n\"b\":2}'";
    let read = Request::of_curl(line, "https://h.example");
    assert_eq!((read.method.as_str(), read.path.as_str()), ("POST", "/a b"));
    assert_eq!(read.headers[1], ("X".to_owned(), "\"y\"".to_owned()));
    assert_eq!(read.body.as_deref(), Some("{\"a\": 1,\n\"b\":2}"));
}
