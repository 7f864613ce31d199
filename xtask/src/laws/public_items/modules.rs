//! The modules of a crate as its sources say them, and where a name in one of them comes from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::{Attribute, Item, UseTree, Visibility};

/// A chain of re-exports longer than this is a circle.
const STEPS: usize = 32;

pub struct Crate {
    pub modules: Vec<Module>,
}

pub struct Module {
    /// `crate`, then the modules on the way.
    pub path: Vec<String>,
    pub file: String,
    /// It, and each module on the way, is `pub`.
    pub is_open: bool,
    pub items: Vec<Item>,
    /// The imports of `use`, by their name here.
    names: BTreeMap<String, Vec<String>>,
    /// The imports of `pub use`.
    pub exports: Vec<(String, Vec<String>)>,
    /// Modules all of whose names are brought in.
    globs: Vec<Vec<String>>,
    children: Vec<String>,
}

impl Module {
    pub fn path_to(&self, name: &str) -> Vec<String> {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        path
    }

    fn uses(&mut self, tree: &UseTree, before: &[String], is_pub: bool) {
        let with = |ident: &syn::Ident| {
            let mut path = before.to_vec();
            // `use a::b::{self}` is `a::b`.
            if ident != "self" || path.is_empty() {
                path.push(ident.to_string());
            }
            path
        };
        match tree {
            UseTree::Path(tree) => self.uses(&tree.tree, &with(&tree.ident), is_pub),
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    self.uses(tree, before, is_pub);
                }
            }
            UseTree::Glob(_) => {
                self.globs.push(before.to_vec());
                if is_pub {
                    self.exports
                        .push((format!("{}::*", before.join("::")), before.to_vec()));
                }
            }
            UseTree::Name(tree) => {
                let path = with(&tree.ident);
                let name = path.last().cloned().unwrap_or_default();
                self.brings(name, path, is_pub);
            }
            UseTree::Rename(tree) => {
                self.brings(tree.rename.to_string(), with(&tree.ident), is_pub);
            }
        }
    }

    fn brings(&mut self, name: String, path: Vec<String>, is_pub: bool) {
        if is_pub {
            self.exports.push((name.clone(), path.clone()));
        }
        self.names.insert(name, path);
    }

    fn defines(&self, name: &str) -> bool {
        let named = |item: &Item| super::name_of(item).is_some_and(|known| known == name);
        self.items.iter().any(named)
    }
}

impl Crate {
    /// Reads the crate whose `lib.rs` is in that folder.
    pub fn read(src: &Path) -> Result<Self> {
        let mut krate = Self {
            modules: Vec::new(),
        };
        let items = parse(&src.join("lib.rs"))?;
        let root = Place {
            path: vec!["crate".to_owned()],
            file: src.join("lib.rs"),
            below: src.to_owned(),
            is_open: true,
        };
        krate.module(root, items)?;
        Ok(krate)
    }

    fn module(&mut self, place: Place, items: Vec<Item>) -> Result<()> {
        let mut module = Module {
            path: place.path.clone(),
            file: place.file.display().to_string(),
            is_open: place.is_open,
            items: Vec::new(),
            names: BTreeMap::new(),
            exports: Vec::new(),
            globs: Vec::new(),
            children: Vec::new(),
        };
        for item in items {
            match item {
                Item::Use(of) => {
                    let is_pub = matches!(of.vis, Visibility::Public(_));
                    module.uses(&of.tree, &[], is_pub);
                }
                Item::Mod(of) if is_test(&of.attrs) => {}
                Item::Mod(of) => {
                    let name = of.ident.to_string();
                    let is_pub = matches!(of.vis, Visibility::Public(_));
                    let child = place.child(&name, is_pub, of.content.is_some());
                    let items = match of.content {
                        Some((_, items)) => items,
                        None => parse(&child.file)?,
                    };
                    module.children.push(name);
                    self.module(child, items)?;
                }
                item => module.items.push(item),
            }
        }
        self.modules.push(module);
        Ok(())
    }

    pub fn at(&self, path: &[String]) -> Option<&Module> {
        self.modules.iter().find(|module| module.path == path)
    }

    /// The item at an absolute path.
    pub fn item(&self, path: &[String]) -> Option<(&Module, &Item)> {
        let (name, of) = path.split_last()?;
        let module = self.at(of)?;
        let named = |item: &&Item| super::name_of(item).is_some_and(|known| known == *name);
        Some((module, module.items.iter().find(named)?))
    }

    /// Where a path that is written in a module leads: `crate::…` to an item of this crate, else what another
    /// crate calls it.
    pub fn resolve(&self, from: &Module, path: &[String]) -> Vec<String> {
        let mut path = self.absolute(from, path);
        for _ in 0..STEPS {
            // The module that the path goes into, and the name that it asks there.
            let depth = (1..path.len()).rev();
            let mut inside = depth.filter_map(|depth| Some((depth, self.at(&path[..depth])?)));
            let Some((depth, module)) = inside.next() else {
                return path;
            };
            if module.defines(&path[depth]) {
                return path;
            }
            let next = self.absolute(module, &path[depth..]);
            if next == path {
                return path;
            }
            path = next;
        }
        path
    }

    fn absolute(&self, from: &Module, path: &[String]) -> Vec<String> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        let parent = &from.path[..from.path.len().max(2) - 1];
        let mut start = match first.as_str() {
            "crate" => vec!["crate".to_owned()],
            "self" => from.path.clone(),
            "super" => {
                let Some(module) = self.at(parent) else {
                    return path.to_vec();
                };
                // `super::super::…` climbs on.
                return match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(module, rest),
                    _ => [parent, rest].concat(),
                };
            }
            name if from.defines(name) || from.children.iter().any(|child| child == name) => {
                from.path_to(name)
            }
            name => match from.names.get(name) {
                // `use anyhow;` and the like.
                Some(known) if known.first() == Some(first) => known.clone(),
                Some(known) => self.absolute(from, known),
                None => match self.by_glob(from, name) {
                    Some(path) => path,
                    None => vec![name.to_owned()],
                },
            },
        };
        start.extend_from_slice(rest);
        start
    }

    fn by_glob(&self, from: &Module, name: &str) -> Option<Vec<String>> {
        from.globs.iter().find_map(|glob| {
            let path = self.absolute(from, glob);
            let module = self.at(&path)?;
            let there = module.defines(name) || module.names.contains_key(name);
            there.then(|| module.path_to(name))
        })
    }
}

/// Where a module is.
struct Place {
    path: Vec<String>,
    file: PathBuf,
    /// The folder of its children's files.
    below: PathBuf,
    is_open: bool,
}

impl Place {
    fn child(&self, name: &str, is_pub: bool, is_inline: bool) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self {
            path,
            file: match is_inline {
                true => self.file.clone(),
                false => self.below.join(format!("{name}.rs")),
            },
            below: self.below.join(name),
            is_open: self.is_open && is_pub,
        }
    }
}

fn parse(file: &Path) -> Result<Vec<Item>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let parsed =
        syn::parse_file(&text).with_context(|| format!("cannot parse {}", file.display()))?;
    Ok(parsed.items)
}

/// `#[cfg(test)]`, and nothing that only holds it among others.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|of| of.is_ident("test"))
    })
}

/// The names of a path.
pub fn joined(path: &syn::Path) -> Vec<String> {
    let names = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    names.collect()
}
