//! No circle among the modules of a crate: none in which each needs the other's types or functions.
//!
//! A module and its submodules are one room here: what a module and its own children take from each other does
//! not count, and a circle is looked for among the children of one parent. The sources are read as tokens, so a
//! path inside a macro counts and one in a comment does not; tests do not count either. Re-exports are followed
//! to the module that has the name. Methods are not seen: a room may call what another one has given a type.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    str::FromStr as _,
};

use anyhow::{Context as _, Result, anyhow, bail};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tools;

/// Every crate of the workspace is free of circles.
pub fn no_circles() -> Result<()> {
    let root = tools::root();
    let mut packages: Vec<_> = fs::read_dir(root.join("crates"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    packages.push(root.join("xtask"));
    let mut told = Vec::new();
    for package in packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let modules = read(&package.join("src"))?;
        told.extend(
            circles(&modules)
                .iter()
                .map(|circle| format!("{name}: {circle}")),
        );
    }
    if !told.is_empty() {
        bail!(
            "modules that need each other:\n{}\nMove what both need to the room it belongs to, or below both.",
            told.join("\n")
        );
    }
    Ok(())
}

/// The modules of a crate by path (`a::b`; empty for the crate itself), each with what it says.
type Modules = BTreeMap<String, Module>;

#[derive(Default)]
struct Module {
    /// Every path in it, the imported ones too.
    paths: Vec<Vec<String>>,
    /// The names that it hands on.
    exports: Vec<Vec<String>>,
}

/// Modules that need each other, children of one parent.
struct Circle {
    parent: String,
    rooms: Vec<String>,
    /// The ties between them, a line each.
    ties: Vec<String>,
}

impl std::fmt::Display for Circle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parent = match self.parent.as_str() {
            "" => "the crate",
            parent => parent,
        };
        write!(f, "in {parent}: {}", self.rooms.join(", "))?;
        self.ties
            .iter()
            .try_for_each(|tie| write!(f, "\n    {tie}"))
    }
}

fn read(src: &Path) -> Result<Modules> {
    let mut modules = Modules::new();
    read_folder(src, "", &mut modules)?;
    Ok(modules)
}

fn read_folder(folder: &Path, parent: &str, modules: &mut Modules) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = match (&*stem, parent) {
            ("lib" | "main", "") => String::new(),
            (stem, parent) => child(parent, stem),
        };
        if path.is_dir() {
            read_folder(&path, &name, modules)?;
        } else if path.extension().is_some_and(|end| end == "rs") && stem != "tests" {
            let text = fs::read_to_string(&path)?;
            let module = parse(&text).with_context(|| path.display().to_string())?;
            let known = modules.entry(name).or_default();
            known.paths.extend(module.paths);
            known.exports.extend(module.exports);
        }
    }
    Ok(())
}

fn child(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        parent => format!("{parent}::{name}"),
    }
}

fn parse(text: &str) -> Result<Module> {
    let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("{error}"))?;
    let mut module = Module::default();
    look(tokens, &mut module);
    Ok(module)
}

/// Notes the paths among these tokens. Code for tests alone is passed over.
fn look(tokens: TokenStream, module: &mut Module) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) if is_for_tests(&tokens, at, group) => {
                at = item_end(&tokens, at + 1);
            }
            TokenTree::Group(group) => look(group.stream(), module),
            TokenTree::Ident(word) if word == "use" => {
                let end = item_end(&tokens, at);
                let mut paths = Vec::new();
                tree(&tokens[at + 1..end.saturating_sub(1)], &[], &mut paths);
                if is_public(&tokens[..at]) {
                    module.exports.extend(paths);
                } else {
                    module.paths.extend(paths);
                }
                at = end;
                continue;
            }
            TokenTree::Ident(_) => {
                let (path, end) = path(&tokens, at);
                if path.len() > 1 {
                    module.paths.push(path);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// `#[cfg(test)]`, or `#[cfg(all(test, …))]`.
fn is_for_tests(tokens: &[TokenTree], at: usize, group: &Group) -> bool {
    let text = group.stream().to_string().replace(' ', "");
    group.delimiter() == Delimiter::Bracket
        && at > 0
        && is_punct(&tokens[at - 1], '#')
        && (text.starts_with("cfg(test)") || text.starts_with("cfg(all(test,"))
}

/// Behind the item that goes on at `at`: behind its `;`, or its braces.
fn item_end(tokens: &[TokenTree], at: usize) -> usize {
    let in_import = matches!(&tokens.get(at), Some(TokenTree::Ident(word)) if *word == "use");
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => !in_import && group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';'),
    };
    let rest = tokens[at..].iter().position(ends);
    rest.map_or(tokens.len(), |end| at + end + 1)
}

fn is_public(before: &[TokenTree]) -> bool {
    let before = match before {
        [before @ .., TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            before
        }
        before => before,
    };
    matches!(before.last(), Some(TokenTree::Ident(word)) if word == "pub")
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// The path that begins at `at`, and where it ends.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        at += 1;
        match tokens.get(at..at + 2) {
            Some([a, b]) if is_punct(a, ':') && is_punct(b, ':') => at += 2,
            _ => break,
        }
    }
    (path, at)
}

/// The paths of an import: `a::{b, c::d}` is two.
fn tree(tokens: &[TokenTree], before: &[String], found: &mut Vec<Vec<String>>) {
    for part in tokens.split(|token| is_punct(token, ',')) {
        let (mut here, end) = path(part, 0);
        here.splice(0..0, before.iter().cloned());
        match part.get(end) {
            Some(TokenTree::Group(group)) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                tree(&inner, &here, found);
            }
            _ if here.is_empty() => {}
            _ => {
                if here.last().is_some_and(|word| word == "self") && here.len() > 1 {
                    here.pop();
                }
                found.push(here);
            }
        }
    }
}

/// The module that a path in `from` leads to; `None` when it leads out of the crate.
fn resolve(modules: &Modules, from: &str, path: &[String]) -> Option<String> {
    let mut here: Vec<&str> = from.split("::").filter(|part| !part.is_empty()).collect();
    let mut rest = path.iter().map(String::as_str).peekable();
    match rest.peek().copied()? {
        "crate" => {
            rest.next();
            here.clear();
        }
        "self" => drop(rest.next()),
        "super" => {
            while rest.next_if_eq(&"super").is_some() {
                here.pop()?;
            }
        }
        first if modules.contains_key(&child(from, first)) => {}
        _ => return None,
    }
    let mut module = here.join("::");
    modules.get(&module)?;
    for name in rest {
        let deeper = child(&module, name);
        if modules.contains_key(&deeper) {
            module = deeper;
            continue;
        }
        // A name that this module hands on belongs to another one.
        let exports = &modules[&module].exports;
        let handed_on = exports
            .iter()
            .find(|export| export.last().is_some_and(|last| last == name));
        return match handed_on {
            Some(export) => resolve(modules, &module, export),
            None => Some(module),
        };
    }
    Some(module)
}

/// The child of `parent` that a module is in.
fn room<'a>(parent: &str, module: &'a str) -> Option<&'a str> {
    let below = match parent {
        "" => module,
        parent => module.strip_prefix(parent)?.strip_prefix("::")?,
    };
    below.split("::").next().filter(|room| !room.is_empty())
}

fn circles(modules: &Modules) -> Vec<Circle> {
    let mut needs = BTreeMap::new();
    for (from, module) in modules {
        for path in &module.paths {
            if let Some(to) = resolve(modules, from, path) {
                let tie = format!("{from} needs {}", path.join("::"));
                needs.entry((from.as_str(), to)).or_insert(tie);
            }
        }
    }
    let parents: BTreeSet<&str> = modules
        .keys()
        .map(|module| module.rsplit_once("::").map_or("", |(parent, _)| parent))
        .collect();
    parents
        .into_iter()
        .flat_map(|parent| circles_below(parent, &needs))
        .collect()
}

fn circles_below(parent: &str, needs: &BTreeMap<(&str, String), String>) -> Vec<Circle> {
    let mut ties: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for ((from, to), tie) in needs {
        if let (Some(from), Some(to)) = (room(parent, from), room(parent, to))
            && from != to
        {
            ties.entry(from).or_default().entry(to).or_insert(tie);
        }
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = ties
        .keys()
        .map(|from| (*from, reached_from(from, &ties)))
        .collect();
    let both = |a: &str, b: &str| {
        let to = |from: &str, to: &str| reached.get(from).is_some_and(|all| all.contains(to));
        to(a, b) && to(b, a)
    };
    let mut left: BTreeSet<&str> = reached.keys().copied().filter(|a| both(a, a)).collect();
    let mut circles = Vec::new();
    while let Some(first) = left.pop_first() {
        let rooms: Vec<&str> = std::iter::once(first)
            .chain(left.iter().copied().filter(|other| both(first, other)))
            .collect();
        left.retain(|room| !rooms.contains(room));
        let inner = rooms.iter().flat_map(|from| &ties[from]);
        let inner = inner.filter(|(to, _)| rooms.contains(*to));
        circles.push(Circle {
            parent: parent.to_owned(),
            ties: inner.map(|(_, tie)| (*tie).to_owned()).collect(),
            rooms: rooms.into_iter().map(str::to_owned).collect(),
        });
    }
    circles
}

fn reached_from<'a>(
    from: &str,
    ties: &BTreeMap<&'a str, BTreeMap<&'a str, &str>>,
) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&str> = ties
        .get(from)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .copied()
        .collect();
    while let Some(next) = ahead.pop() {
        if let Some((known, _)) = ties
            .values()
            .find_map(|all| all.get_key_value(next))
            .filter(|(known, _)| reached.insert(**known))
        {
            ahead.extend(ties.get(known).into_iter().flat_map(BTreeMap::keys));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sources: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut modules = Modules::from([(String::new(), Module::default())]);
        for (name, text) in sources {
            modules.insert((*name).to_owned(), parse(text).expect("a source"));
        }
        circles(&modules)
            .into_iter()
            .map(|circle| circle.rooms)
            .collect()
    }

    #[test]
    fn what_it_finds() {
        let back = ("b", "fn g() { crate::a::f() }");
        let there = ("a", "use crate::{b::g, c};");
        assert_eq!(found(&[there, back]), [["a", "b"]]);
        assert_eq!(found(&[there]), Vec::<Vec<String>>::new());
        // Inside a macro; over a re-export; by a child.
        let within = ("b", "fn g() { assert!(crate::a::f()) }");
        assert_eq!(found(&[there, within]), [["a", "b"]]);
        let root = ("", "pub use a::f;");
        let over = ("b", "use crate::f;");
        assert_eq!(found(&[root, there, over]), [["a", "b"]]);
        let deeper = [there, ("b", ""), ("b::c", "use super::super::a;")];
        assert_eq!(found(&deeper), [["a", "b"]]);
        let siblings = [
            ("p", ""),
            ("p::a", "use super::b::g;"),
            ("p::b", "use super::a;"),
        ];
        assert_eq!(found(&siblings), [["a", "b"]]);
    }

    #[test]
    fn what_it_passes_over() {
        let there = ("a", "use crate::b::g;");
        for text in [
            "//! `crate::a` uses this.",
            "#[cfg(test)]\nmod tests { use crate::a; }",
            "#[cfg(test)]\nuse crate::a;\nfn g() {}",
            "fn g() -> &'static str { \"crate::a::f\" }",
            "use other::a;",
        ] {
            assert_eq!(
                found(&[there, ("b", text)]),
                Vec::<Vec<String>>::new(),
                "{text}"
            );
        }
        // A module and its own submodules are one room.
        let own = [("a", "mod b; use self::b::g;"), ("a::b", "use super::f;")];
        assert_eq!(found(&own), Vec::<Vec<String>>::new());
    }
}
